/* A model of a tree of cancellation tokens, include/base/cancel.h, whose owner does anything that the header allows, in
 * any order, and whose hooks do.
 *
 * One thread, so there is one process; what spin tries are all sequences of calls. Checked, by assertions:
 *   - children before parents: when a hook is called, nothing hangs on any token below its own;
 *   - the whole path down to a token has fired before its hooks are called;
 *   - once: a hook is called at most once for each time it watched, never after unwatch or the end of its token, and
 *     after fire nothing is left to be called;
 *   - one reason, the first: it never changes, and a child of a token that has fired has fired too;
 *   - a deadline is never later than the parent's.
 *
 *     here                  in src/base/cancel.c
 *     begin_child, fini     cancel_init, cancel_fini
 *     watch, unwatch        cancel_watch, cancel_unwatch
 *     set_deadline          cancel_set_deadline
 *     fire                  cancel_fire, and fire_subtree without its recursion: `path` holds the tokens that are
 *                           being fired, `next` what fire_subtree's loop looks at next in each of them
 *     call                  a hook, which watches, unwatches and makes children as it likes
 *
 * There are 4 tokens, of which one is the root for good, 3 levels, 2 hooks, 2 reasons and 3 deadlines. Lists are in the
 * order of the code: what is new comes first.
 *
 * Left out: that lists are linked both ways (removing walks along the list here), `live` and the assertions about
 * callers' mistakes (tests/unit/base/test_cancel.c). What a hook may not do, fire and end, it does not do here.
 *
 * -DPLANT_…: a bug, which spin must find.
 */

#define TOKENS 4
#ifdef DEADLINES
#define HOOKS 1
#else
#define HOOKS 2
#endif
#define DEPTH_MAX 3
#ifdef DEADLINES
#define REASONS 1
#else
#define REASONS 2
#endif
#define NEVER 2 /* Deadlines: 0, 1, none. */
#define NONE 255

bool is_live[TOKENS];
byte parent[TOKENS];
byte first_child[TOKENS];
byte next_sibling[TOKENS];
byte first_hook[TOKENS];
byte depth[TOKENS];
byte reason[TOKENS]; /* 0: not fired. */
byte deadline[TOKENS];

byte next_hook[HOOKS];
byte watched[HOOKS];  /* The token on whose list the hook is; NONE: watching nothing. */
byte expected[HOOKS]; /* The same, as its owner sees it. */

byte path[DEPTH_MAX];
byte next[DEPTH_MAX];

byte t; /* Operands of what follows. */
byte h;
byte at;

#define is_ended_or_root(token) (!is_live[token] || parent[token] == NONE)

/* What holds whenever nothing is being fired. */
inline check_tree()
{
    d_step {
        t = 0;
        do
        :: t < TOKENS ->
           if
           :: is_ended_or_root(t)
           :: else ->
              assert(is_live[parent[t]]);
              assert(reason[parent[t]] == 0 || reason[t] != 0);
              assert(deadline[t] <= deadline[parent[t]])
           fi;
           assert(!is_live[t] || reason[t] == 0 || first_hook[t] == NONE);
           t++
        :: else -> break
        od;
        t = 0
    }
}

inline begin_child(token, under)
{
    d_step {
        is_live[token] = true;
        parent[token] = under;
        next_sibling[token] = first_child[under];
        first_child[under] = token;
        depth[token] = depth[under] + 1;
        deadline[token] = deadline[under];
#ifndef PLANT_UNFIRED_CHILD
        reason[token] = reason[under]
#endif
    }
}

inline fini(token)
{
    d_step {
        if
        :: first_child[parent[token]] == token -> first_child[parent[token]] = next_sibling[token]
        :: else ->
           at = first_child[parent[token]];
           do
           :: next_sibling[at] != token -> at = next_sibling[at]
           :: else -> break
           od;
           next_sibling[at] = next_sibling[token]
        fi;
        at = 0;
        is_live[token] = false;
        parent[token] = NONE;
        next_sibling[token] = NONE;
        depth[token] = 0;
        reason[token] = 0;
        deadline[token] = 0
    }
}

inline unlink_hook(hook)
{
    d_step {
        if
        :: watched[hook] == NONE
        :: else ->
           if
           :: first_hook[watched[hook]] == hook -> first_hook[watched[hook]] = next_hook[hook]
           :: else ->
              at = first_hook[watched[hook]];
              do
              :: next_hook[at] != hook -> at = next_hook[at]
              :: else -> break
              od;
              next_hook[at] = next_hook[hook]
           fi;
           at = 0;
           next_hook[hook] = NONE;
           watched[hook] = NONE
        fi
    }
}

inline watch(token, hook)
{
    d_step {
        if
#ifndef PLANT_WATCH_FIRED
        :: reason[token] != 0 /* Refused: the caller takes the cancelled path. */
#endif
        :: else ->
           next_hook[hook] = first_hook[token];
           first_hook[token] = hook;
           watched[hook] = token;
           expected[hook] = token
        fi
    }
}

inline unwatch(hook)
{
    unlink_hook(hook);
    expected[hook] = NONE
}

inline set_deadline(token, wanted)
{
    d_step {
        deadline[token] = wanted;
#ifndef PLANT_LATE_DEADLINE
        if
        :: parent[token] != NONE && deadline[parent[token]] < wanted -> deadline[token] = deadline[parent[token]]
        :: else
        fi
#endif
    }
}

/* --- What owners, and hooks, may do at any time. --- */

inline do_something()
{
    atomic {
        select(t : 0 .. TOKENS - 1);
        select(h : 0 .. HOOKS - 1);
        if
        :: is_live[t] && expected[h] == NONE -> watch(t, h)
        :: expected[h] != NONE -> unwatch(h)
        :: !is_live[t] && h == 0 ->
           select(under : 0 .. TOKENS - 1);
           if
           :: is_live[under] && depth[under] + 1 < DEPTH_MAX -> begin_child(t, under)
           :: else
           fi;
           under = 0
#ifdef DEADLINES
        :: is_live[t] && h == 0 && reason[t] == 0 && first_child[t] == NONE ->
           select(under : 0 .. NEVER);
           set_deadline(t, under);
           under = 0
#endif
        :: else
        fi;
        t = 0;
        h = 0
    }
}

/* --- Firing. --- */

inline check_call(hook, token)
{
    d_step {
        assert(expected[hook] == token);
        expected[hook] = NONE;
        assert(reason[token] == why);
        at = 0;
        do
        :: at <= level -> assert(reason[path[at]] != 0); at++
        :: else -> break
        od;
        at = 0;
        do
        :: at < TOKENS ->
           if
           :: is_live[at] && parent[at] != NONE && (parent[at] == token || parent[parent[at]] == token) ->
              assert(reason[at] != 0 && first_hook[at] == NONE)
           :: else
           fi;
           at++
        :: else -> break
        od;
        at = 0
    }
}

/* One hook of the token, which may hang itself, and others, anywhere anew. */
inline call(token)
{
    hook = first_hook[token];
#ifndef PLANT_UNLINK_LATE
    unlink_hook(hook);
#endif
    check_call(hook, token);
    if
    :: true -> do_something()
    :: true
    fi;
#ifdef PLANT_UNLINK_LATE
    unlink_hook(hook);
#endif
    hook = 0
}

inline call_all(token)
{
    do
    :: first_hook[token] != NONE -> call(token)
    :: else -> break
    od
}

/* Into a token: its reason first, then its children. */
inline enter(token)
{
    d_step {
        path[level] = token;
#ifndef PLANT_REASON_LATE
        assert(reason[token] == 0); /* The first one stays. */
        reason[token] = why;
#endif
        next[level] = first_child[token]
    }
}

inline fire(token)
{
    if
#ifndef PLANT_FIRE_AGAIN
    :: reason[token] != 0 -> is_done = true
#endif
    :: else -> enter(token)
    fi;
#ifdef PLANT_PARENT_FIRST
    call_all(token);
#endif
    do
    :: is_done -> break
    :: !is_done && next[level] != NONE ->
       /* The code looks for the sibling when the child is done: so does the end of this loop. */
       if
       :: reason[next[level]] != 0 -> next[level] = next_sibling[next[level]]
       :: else -> under = next[level]; level++; enter(under); under = 0
       fi
    :: !is_done && next[level] == NONE ->
#ifdef PLANT_REASON_LATE
       reason[path[level]] = why;
#endif
       call_all(path[level]);
       path[level] = 0;
       next[level] = 0;
       if
       :: level == 0 -> is_done = true
       :: else -> level--; next[level] = next_sibling[next[level]]
       fi
    od;
    is_done = false
}

init
{
    byte under, fired, why, hook, level;
    bool is_done;
    d_step {
        do
        :: at < TOKENS ->
           parent[at] = NONE; first_child[at] = NONE; next_sibling[at] = NONE; first_hook[at] = NONE;
           at++
        :: else -> break
        od;
        at = 0;
        do
        :: at < HOOKS -> next_hook[at] = NONE; watched[at] = NONE; expected[at] = NONE; at++
        :: else -> break
        od;
        at = 0;
        is_live[0] = true;
        deadline[0] = NEVER
    }
    do
    :: do_something()
    :: atomic {
           true ->
           select(t : 1 .. TOKENS - 1);
           if
           :: is_live[t] && first_child[t] == NONE && first_hook[t] == NONE -> fini(t)
           :: else
           fi;
           t = 0;
           check_tree()
       }
    :: true ->
       atomic {
           select(fired : 0 .. TOKENS - 1);
           select(why : 1 .. REASONS)
       };
       if
       :: is_live[fired] -> fire(fired)
       :: else
       fi;
       fired = 0;
       why = 0;
       check_tree()
    od
}
