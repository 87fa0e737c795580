/* A model of the ring between two shards, include/base/mailbox.h: one sender, one reader.
 *
 * Every step is one access to what the two threads share, and spin tries every order of them. Checked: no record is
 * lost, doubled, torn or out of order; no byte is overwritten before it was read, and none read before it was written;
 * a push that is refused writes nothing; an empty ring refuses none.
 *
 *     here               in src/base/mailbox.c
 *     sender             a shard that posts, and posts again what was refused
 *       push             mailbox_push; locate: place_at; publish: the store of tail
 *     reader             the other shard, shard/post.c, post_receive
 *       peek, give_back  mailbox_peek, mailbox_consume; give_back: the store of head
 *
 * The ring has 4 units. A record has one for its header and 1 or 2 for its bytes, so that a longest one just fits into
 * an empty ring (2 * MAILBOX_RECORD_BYTES_MAX), and records begin, end and wrap at every place. A unit that nobody
 * needs any more is FREE; only the model knows that.
 *
 * Left out: the waking (wake.pml); mailbox_bytes_used, which reads the same two indices, and promises no more than that
 * it is 0 only where no record is there; the width of the indices, which run on for 64 bits and here begin anew after
 * four times round the ring. All threads see all steps in one order: what acquire and release are for stands in
 * include/base/mailbox.h.
 *
 * -DPLANT_…: a bug, which spin must find.
 */

#define SIZE 4
#define UNITS_MAX (SIZE / 2)
#define INDICES (4 * SIZE)
#define SEQUENCES (SIZE / 2 + 1) /* One more than records that the ring holds: none is taken for another. */

#define FREE 0
#define BYTE(sequence, part, is_last) (UNITS_MAX + 1 + ((sequence) * UNITS_MAX + (part)) * 2 + (is_last))

#define PLUS(index, extent) (((index) + (extent)) % INDICES)
#define MINUS(end, index) (((end) + INDICES - (index)) % INDICES)

byte unit[SIZE];
byte head;
byte tail;

/* From the place and the length, as both sides do it. */
inline locate(index, length, ret_header, ret_bytes, ret_extent)
{
    d_step {
        ret_header = index % SIZE;
        if
        :: 1 + length <= SIZE - ret_header -> ret_bytes = ret_header + 1; ret_extent = 1 + length
        :: else -> ret_bytes = 0; ret_extent = SIZE - ret_header + length
        fi
    }
}

inline write(at, value)
{
    d_step { assert(unit[at] == FREE); unit[at] = value }
}

inline write_record()
{
#ifndef PLANT_WRITE_BEFORE_CHECK
    write(header, length);
#endif
    part = 0;
    do
    :: part < length -> write(bytes + part, BYTE(sequence, part, (part + 1 == length))); part++
    :: else -> break
    od;
    part = 0
}

proctype sender()
{
    byte length, sequence, head_seen, used_max; /* Of the mailbox: head_seen, bytes_used_max. */
    byte header, bytes, extent, used, part;
    bool was_empty;
    do
    :: true ->
       /* What was refused is posted again as it is. */
       if
       :: length == 0 -> select(length : 1 .. UNITS_MAX)
       :: else
       fi;
       was_empty = (head == tail); /* And stays so: only the sender adds. */
       locate(tail, length, header, bytes, extent);
#ifdef PLANT_WRITE_BEFORE_CHECK
       write(header, length);
#endif
#ifndef PLANT_STALE_HEAD
       if
       :: MINUS(PLUS(tail, extent), head_seen) > used_max -> head_seen = head
       :: else
       fi;
#endif
       used = MINUS(PLUS(tail, extent), head_seen);
#ifdef PLANT_ONE_MORE
       if
       :: used > SIZE + 1 -> assert(!was_empty)
#else
       if
       :: used > SIZE -> assert(!was_empty)
#endif
       :: else ->
          used_max = (used > used_max -> used : used_max);
#ifdef PLANT_PUBLISH_FIRST
          tail = PLUS(tail, extent);
          write_record();
#else
          write_record();
          tail = PLUS(tail, extent);
#endif
          d_step { sequence = (sequence + 1) % SEQUENCES; length = 0 }
       fi;
       d_step { was_empty = false; header = 0; bytes = 0; extent = 0; used = 0; part = 0 }
    od
}

inline give_back()
{
    d_step {
        /* From the index on the units are the sender's. */
        unit[header] = FREE;
        part = 0;
        do
        :: part < length -> unit[bytes + part] = FREE; part++
        :: else -> break
        od;
        part = 0;
        head = PLUS(head, extent)
    }
}

proctype reader()
{
    byte expected, length, header, bytes, extent, part;
    do
    :: head != tail ->
       d_step {
           length = unit[head % SIZE];
           assert(length >= 1 && length <= UNITS_MAX)
       };
       locate(head, length, header, bytes, extent);
#ifdef PLANT_CONSUME_FIRST
       give_back();
#endif
       do
       :: part < length -> assert(unit[bytes + part] == BYTE(expected, part, (part + 1 == length))); part++
       :: else -> break
       od;
       part = 0;
#ifndef PLANT_CONSUME_FIRST
       give_back();
#endif
       d_step { expected = (expected + 1) % SEQUENCES; length = 0; header = 0; bytes = 0; extent = 0; part = 0 }
    od
}

init
{
    atomic { run sender(); run reader() }
}
