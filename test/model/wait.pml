/* Copyright 2026 the registry_io authors
 * Distributed under the Boost Software License, Version 1.0.
 * (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
 * SPDX-License-Identifier: BSL-1.0
 *
 * `synchronize` against readers that are counted in their root: suspended coroutines, which have
 * pinned it, and the readers of `locked`. Counting a reader in the current root is one step here;
 * the other models have the details.
 *
 * A label in brackets, such as [era.retire], marks the same step here and in the headers. The model
 * checks that no process reads what was destroyed or freed; that nothing is destroyed twice; that
 * when the wait returns, all reads that began before it have ended, and all handlers removed before
 * it are destroyed; and that the wait returns (Spin reports a process that is stuck).
 *
 * There are three readers, a thread that removes a handler and then waits, and a thread that
 * removes another handler.
 *
 * Each of the macros is a mutant; see test/verify.
 */

#define READERS 3
#define ROOTS 6         /* 0 is no root */

byte current = 1;       /* the published root */
byte latest = 1;        /* the last version */
byte shows[ROOTS];      /* handlers, as bits */
byte count[ROOTS];
byte keeps[ROOTS];      /* handlers that hang on a root */
byte entered[ROOTS];    /* when a root entered the list */

bool locked;            /* the writers' lock */
bool list_locked;
byte listed;            /* the roots in the list */
byte inside;
byte clock;

/* The completion of the waiting thread. */
bool waiting;
bool done;
byte left;
byte until;

/* Used only by the properties. */
byte reading[READERS];
bool destroyed[2];
byte waited_for;        /* readers that began before the wait and still read */
bool removed;           /* whether the other writer removed its handler before the wait */

#define bit(n) (1 << (n))
#define shown(r, h) (reading[r] != 0 && (shows[reading[r]] & bit(h)) != 0)

inline destroy(h)
{
    atomic {
        assert(!destroyed[h]);
        assert(!shown(0, h) && !shown(1, h) && !shown(2, h));
        destroyed[h] = true
    }
}

inline destroy_all(got)
{
    if
    :: (got & 1) != 0 -> destroy(0)
    :: else
    fi;
    if
    :: (got & 2) != 0 -> destroy(1)
    :: else
    fi
}

inline free_root(e)
{
    assert(reading[0] != e && reading[1] != e && reading[2] != e)
}

inline lock_list()
{
    atomic { !list_locked -> list_locked = true }
}

inline let_go(e, last)
{
    d_step {                                                   /* [era.let_go] */
        assert(count[e] > 0);
        count[e]--;
        last = (count[e] == 0)
    }
}

/* Takes e off the list. Its garbage passes to the next older root in the list; each root shows all
 * garbage. */
inline unlink(e, got)
{
    d_step {
        listed = listed & ~bit(e);
        older = e - 1;
        do
        :: older != 0 && (listed & bit(older)) == 0 -> older--
        :: else -> break
        od;
        got = keeps[e];
        keeps[e] = 0;
        if
        :: older != 0 -> keeps[older] = keeps[older] | got; got = 0
        :: else
        fi;
        older = 0
    }
}

/* Called when the root or release that entered at this time is destroyed. */
inline gone(time)
{
    lock_list();
    d_step {
        if
#ifdef OLDER_WAIT_TOLD
        :: waiting ->
#else
        :: waiting && until > time ->
#endif
            left--;
            if
#ifdef FIRST_ENDS_WAIT
            :: true -> waiting = false; tells = true
#else
            :: left == 0 -> waiting = false; tells = true
            :: else
#endif
            fi
        :: else
        fi;
        inside--
    };
    list_locked = false;
    if
    :: tells -> tells = false; done = true
    :: else
    fi
}

proctype reader(byte r)
{
    byte root;
    byte got;
    byte older;
    byte time;
    bool last;
    bool tells;

    atomic {
        root = current;
        if
        :: root != 0 -> count[root]++; reading[r] = root
        :: else
        fi
    };
    if
    :: root != 0 ->
        d_step { reading[r] = 0; waited_for = waited_for & ~bit(r) };
        let_go(root, last);
        if
        :: last ->
            lock_list();                                       /* [era.drain] */
            time = entered[root];
            unlink(root, got);
            list_locked = false;
#ifdef DRAIN_NOT_COUNTED
            gone(time);
            destroy_all(got);
            free_root(root)
#else
            destroy_all(got);
            free_root(root);
            gone(time)
#endif
        :: else
        fi
    :: else
    fi
}

inline retire(e)
{
    if
    :: inside == 0 && count[e] == 1 ->
        freed = freed | keeps[e];
        keeps[e] = 0;
        free_root(e)
    :: else ->
        lock_list();
        d_step { listed = listed | bit(e); entered[e] = clock; clock++; inside++ };
        let_go(e, last);                                       /* [era.retire] */
        if
        :: last ->
            last = false;
            unlink(e, got);
            freed = freed | got;
            got = 0;
            inside--;
            free_root(e)
        :: else
        fi;
        list_locked = false
    fi
}

/* Replaces the root with a root that lacks the handlers of `out`. */
inline publish(out)
{
    d_step {
        old = current;
        next = latest + 1;
        latest = next;
        shows[next] = shows[old] & ~(out);
        count[next] = 1;
        keeps[old] = keeps[old] | (out);
        current = next
    };
    retire(old)
}

/* Unlocks, then destroys what the writer has set free, which is counted until it is destroyed. */
inline finish()
{
    if
    :: freed != 0 ->
#ifndef RELEASE_NOT_COUNTED
        d_step { time = clock; clock++; inside++ };
#endif
        locked = false;
        destroy_all(freed);
        freed = 0;
#ifndef RELEASE_NOT_COUNTED
        gone(time)
#endif
    :: else -> locked = false
    fi;
    d_step { old = 0; next = 0; time = 0 }
}

#define WRITER_LOCALS byte next; byte old; byte got; byte freed; byte older; byte time; \
    bool last; bool tells

proctype waiter()
{
    WRITER_LOCALS;

    atomic { !locked -> locked = true };
    publish(1);
    finish();

    /* synchronize */
    d_step {
        waited_for = (reading[0] != 0) + 2 * (reading[1] != 0) + 4 * (reading[2] != 0);
        removed = ((shows[current] & 2) == 0)
    };
    atomic { !locked -> locked = true };
    if
#ifndef HELD_IGNORED
    :: count[current] > 1 -> publish(0)
#endif
    :: else
    fi;
    lock_list();
    d_step {
        until = clock;
        left = inside;
        if
        :: left != 0 -> waiting = true
        :: else -> done = true
        fi
    };
    list_locked = false;
    finish();
    done;
    assert(destroyed[0]);
    assert(!removed || destroyed[1]);
    assert(waited_for == 0)
}

proctype other_writer()
{
    WRITER_LOCALS;

    atomic { !locked -> locked = true };
    publish(2);
    finish()
}

init {
    atomic {
        count[1] = 1;
        shows[1] = 3;
        run reader(0);
        run reader(1);
        run reader(2);
        run waiter();
        run other_writer()
    }
}
