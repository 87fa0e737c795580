/* A model of how a shard that has been posted to wakes up: several mailboxes, one reader, one eventfd.
 *
 * Checked: the reader never sleeps for good on a record, whoever sent it (`sleeps_on_none`), and none is passed over in
 * favour of the others (`heard_…`, where every thread goes on sooner or later). Every step is one access to what
 * threads share; a mailbox is what mailbox.pml shows it to be, a bounded queue where a record is there or not.
 *
 *     here               in C
 *     sender             a shard's turn, edge/worker.c, turn
 *       post             shard/post.c, post: the mailbox takes it, and `woken` remembers whom to wake
 *       bell = true      shard/post.c, post_wake, the last step of shard_run: worker_wake's write
 *     reader             the other shard's turn
 *       is_due           edge/worker.c, wait_ms: shard_next_due looks into all mailboxes, one after the other
 *       the wait         epoll_wait in read_events, on the eventfd
 *       bell = false     the same epoll_wait, which tells of it once (EPOLLET)
 *       take             shard/post.c, post_receive
 *       post to OWN      the same shard's post to itself, for which post_wake rings nobody
 *
 * What a shard posts while it reads behind shard_run (the second ws_run of a turn) is rung for in its next turn, which
 * does not wait then (`has_input`): here the posts are that turn's.
 *
 * A mailbox holds two records, and the reader takes at most one from each in a turn: the code takes RECORDS_PER_RUN, so
 * that some may be left over.
 *
 * Left out: that a wait ends after WAIT_MAX_MS, and whatever else wakes a worker: both would hide a lost wake-up, but
 * not prevent it. The second round of a turn: it is another turn here. A record that the reader leaves for later
 * (START): the mailbox is not empty, so the reader does not sleep. How often the eventfd was written says nothing, so
 * that it is a bool.
 *
 * -DPLANT_…: a bug, which spin must find.
 */

#define MAILBOXES 3
#define OWN 2
#define ROOM 2
#define BATCH_MAX 2

byte records[MAILBOXES];
bool bell;
bool is_heard[MAILBOXES]; /* A record of this mailbox was taken in the reader's present turn. */

#define has_any (records[0] + records[1] + records[OWN] > 0)

ltl heard_first { [] (records[0] > 0 -> <> is_heard[0]) }
ltl heard_second { [] (records[1] > 0 -> <> is_heard[1]) }
ltl heard_own { [] (records[OWN] > 0 -> <> is_heard[OWN]) }

/* May end after any turn, so that no later bell mends a lost one. */
proctype sender(byte to)
{
    byte tried;
    bool is_woken;
    do
    :: true ->
#ifdef PLANT_WAKE_FIRST
       bell = true;
#endif
       do
       :: tried < BATCH_MAX ->
          atomic {
              tried++;
              if
              :: records[to] < ROOM -> records[to]++; is_woken = true
              :: else /* Refused: it is kept, and tried again in a later turn. */
              fi
          }
       :: tried > 0 -> break
       od;
       tried = 0;
#ifndef PLANT_WAKE_FIRST
       if
       :: is_woken -> bell = true
       :: else
       fi;
#endif
       is_woken = false
    :: break
    od
}

inline look(from)
{
    if
    :: records[from] > 0 -> is_due = true
    :: else
    fi
}

inline take(from)
{
    if
    :: records[from] > 0 -> d_step { records[from]--; is_heard[from] = true }
    :: else
    fi
}

proctype reader()
{
    bool is_due, is_rung;
    do
    :: true ->
       d_step { is_heard[0] = false; is_heard[1] = false; is_heard[OWN] = false };
#ifndef PLANT_SLEEP_ON_THE_REST
       look(0);
       look(1);
#ifndef PLANT_SLEEP_ON_OWN
       look(OWN);
#endif
#endif
end_asleep:
       if
       :: is_due -> is_rung = bell
       :: bell -> is_rung = true
       fi;
       if
       :: is_rung -> bell = false
       :: else
       fi;
       d_step { is_due = false; is_rung = false };
       take(0);
#ifdef PLANT_PASS_OVER
       if
       :: !is_heard[0] -> take(1)
       :: else
       fi;
#else
       take(1);
#endif
       take(OWN);
       if
       :: records[OWN] < ROOM -> records[OWN]++
       :: true
       fi
    od
}

init
{
    atomic { run sender(0); run sender(1); run reader() }
    timeout; /* Nobody can do anything any more: the reader sleeps for good. */
sleeps_on_none:
    assert(!has_any)
}
