/* Copyright 2026 the registry_io authors
 * Distributed under the Boost Software License, Version 1.0.
 * (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
 * SPDX-License-Identifier: BSL-1.0
 *
 * Hazard pointers with last-reader-out reclamation, on a machine with store buffers.
 *
 * A label in brackets, such as [hp.announce], marks the same step here and in the headers. The
 * model checks that no process reads what was destroyed or freed; that nothing is destroyed twice;
 * and that captures are destroyed no later than the end of their removal and of the last read that
 * was in flight at that removal.
 *
 * There are two readers. `locked` models the writers' lock; readers see the steps under it one by
 * one. A reader's stores to its slot go through its buffer, unless FALLBACK is defined: then they
 * are sequentially consistent, and there are no fences. All other stores are read-modify-write
 * operations, which empty the buffer.
 *
 *   default       one writer: a registration, whose fence is deferred, then a removal
 *   TWO_WRITERS   two writers; each removes a handler
 *   FALLBACK      without membarrier
 *   ONE_READER    one reader, which reads READS times
 *   REFUSED       one writer, two removals; the kernel may refuse each fence of the first
 *
 * Each of the macros NO_..., ANY_MAIL and so on is a mutant; see test/verify.
 */

#define ROOTS 4         /* 0 is no root */
#define IDLE 0
#define LATEST 3

#ifndef READS
#define READS 1         /* of the first reader */
#endif

byte current;           /* the published root */
byte hp[2];             /* the slots, in memory */
byte mail[2];
chan buffer[2] = [2] of { byte };

bool locked;

/* Roots: their handlers as bits. */
byte shows[ROOTS];
byte count[ROOTS];
byte keeps[ROOTS];      /* handlers that hang on it */
byte latest = 1;        /* the last version */
byte pending;           /* replaced roots that are not settled */

/* The list of replaced roots that readers may hold, its lock, and the number of roots that are in
 * it or being drained. */
byte listed;
bool list_locked;
byte inside;

byte birth[2];          /* of the handlers */

/* Used only by the properties. */
byte reading[2];        /* the root that a reader reads, after its second load */
bool in_flight[2];
bool destroyed[2];
bool removed[2];
byte pinned_by[2];

#define bit(n) (1 << (n))
#define shown(reader, h) (reading[reader] != 0 && (shows[reading[reader]] & bit(h)) != 0)

inline destroy(h)
{
    atomic {
        assert(!destroyed[h]);
        assert(!shown(0, h) && !shown(1, h));
        destroyed[h] = true
    }
}

inline free_root(e)
{
    assert(reading[0] != e && reading[1] != e)
}

inline store_hp(r, value)
{
#if defined(FALLBACK) && !defined(FALLBACK_BUFFERED)
    hp[r] = value
#else
    buffer[r]!value
#endif
}

/* The heavy fence. The kernel interrupts the readers in either order, and waits for both. */
inline membarrier()
{
#ifndef FALLBACK
    if
    :: empty(buffer[0]) -> empty(buffer[1])
    :: empty(buffer[1]) -> empty(buffer[0])
    fi
#else
    skip
#endif
}

/* Takes e off the list. Its garbage passes to the next older root in the list, if that root shows
 * it. The caller must destroy the rest, which is returned as bits of got. */
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
#ifdef NEWEST_ONLY
        :: false
#else
        :: older != 0 && (got & 1) != 0 && birth[0] <= older ->    /* [era.birth] */
            keeps[older] = keeps[older] | 1;
            got = got & ~1
#endif
        :: else
        fi;
        if
#ifdef NEWEST_ONLY
        :: false
#else
        :: older != 0 && (got & 2) != 0 && birth[1] <= older ->
            keeps[older] = keeps[older] | 2;
            got = got & ~2
#endif
        :: else
        fi;
        older = 0
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

/* Called by the last reader of root e. */
inline drain(e, got)
{
    atomic { !list_locked -> list_locked = true };             /* [era.drain] */
    unlink(e, got);
    list_locked = false;
    destroy_all(got);
    got = 0;
    inside--;
    free_root(e)
}

/* Called by the writer when root e counts all its readers. */
inline retire(e)
{
    if
    :: (pending & bit(e)) != 0 ->
        if
        :: inside == 0 && count[e] == 1 ->
            freed = freed | keeps[e];
            keeps[e] = 0;
            free_root(e)
        :: else ->
            atomic { !list_locked -> list_locked = true };
            d_step { listed = listed | bit(e); inside++ };
            let_go(e, last);                                   /* [era.retire] */
            if
            :: last ->
                unlink(e, got);
                freed = freed | got;
                got = 0;
                last = false;
                inside--;
                free_root(e)
            :: else
            fi;
            list_locked = false
        fi
    :: else
    fi
}

/* Drops a hold of e. last = whether the caller must drain e. */
inline let_go(e, last)
{
    d_step {                                                   /* [era.let_go] */
        assert(count[e] > 0);
        count[e]--;
        last = (count[e] == 0)
    }
}

proctype reader(byte r; byte reads)
{
    byte root;
    byte m;
    byte got;
    byte older;
    bool last;

    do
    :: reads > 0 ->
        reads--;
        in_flight[r] = true;
again:  root = current;                                        /* [hp.root] */
        if
        :: root == 0 -> goto done
        :: else
        fi;
        store_hp(r, root);                                     /* [hp.announce] */
        if
#ifdef NO_LOOK
        :: reading[r] = root
#else
        :: atomic { current == root -> reading[r] = root }     /* [hp.look] */
        :: current != root                                     /* leaves as below */
#endif
        fi;
#ifdef MAIL_BEFORE_IDLE
        m = mail[r];
        atomic { store_hp(r, IDLE); last = (reading[r] == root); reading[r] = 0 };
#else
        atomic { store_hp(r, IDLE); last = (reading[r] == root); reading[r] = 0 };   /* [hp.idle] */
        m = mail[r];                                           /* [hp.mail] */
#endif
        if
#ifdef ANY_MAIL
        :: m != 0 ->
#else
        :: m != 0 && m == root ->
#endif
            if
            :: atomic { mail[r] == m && empty(buffer[r]) -> mail[r] = 0 };   /* [hp.take] */
                got = last;
                let_go(m, last);
                if
                :: last -> last = got; got = 0; drain(m, got)
                :: else -> last = got; got = 0
                fi
            :: mail[r] != m
            fi
        :: else
        fi;
        m = 0;
        if
        :: last -> last = false
        :: else -> goto again
        fi;
done:   root = 0;
        d_step {
            in_flight[r] = false;
            pinned_by[0] = pinned_by[0] & ~bit(r);
            pinned_by[1] = pinned_by[1] & ~bit(r);
            assert(!removed[0] || destroyed[0] || pinned_by[0] != 0);
            assert(!removed[1] || destroyed[1] || pinned_by[1] != 0)
        }
    :: else -> break
    od
}

/* Moves stores from a buffer to memory, at any time. */
proctype memory(byte r)
{
end:
    do
    :: buffer[r]?hp[r]
    od
}

inline scan(r)
{
    seen = hp[r];                                              /* [hp.scan] */
    if
    :: seen != 0 && (pending & bit(seen)) == 0 -> seen = 0
    :: else
    fi
}

inline post(r, e)
{
    d_step { count[e]++; mail[r] = e }                         /* [hp.post] */
}

inline revoke(r, e)
{
    d_step {                                                   /* [hp.revoke] */
        if
        :: mail[r] == e -> mail[r] = 0; assert(count[e] > 1); count[e]--
        :: else
        fi
    }
}

/* The fence of a writer that removes h. */
inline fence(h)
{
#ifdef REFUSED
    if
    :: h == 0 -> refused = true
    :: membarrier()
    fi
#else
    membarrier()
#endif
}

inline settle(h)
{
    scan(0);
    if
    :: seen != 0 -> post(0, seen)
    :: else
    fi;
    scan(1);
    if
    :: seen != 0 -> post(1, seen)
    :: else
    fi;
#ifndef NO_FENCE
    fence(h);                                                  /* [hp.fence] */
#endif
#ifdef REFUSED_IGNORED
    refused = false;
#endif
    late = false;
    if
    :: refused ->
#ifndef REFUSED_KEEPS_MAIL
        revoke_pending(0);
        revoke_pending(1)
#endif
    :: else ->
        settle_slot(0);
        settle_slot(1)
    fi;
    if
#ifdef NO_LATE
    :: late
#else
    :: late ->
#ifndef NO_LATE_FENCE
        fence(h);                                              /* [hp.late_fence] */
#endif
#ifdef LATE_REFUSED_IGNORED
        refused = false;
#endif
        if
        :: refused ->
#ifndef LATE_REFUSED_KEEPS_MAIL
            revoke_pending(0);
            revoke_pending(1)
#endif
        :: else ->
            settle_late(0);
            settle_late(1)
        fi
#endif
    :: else
    fi
}

/* After a refusal no reader keeps mail for a pending root. */
inline revoke_pending(r)
{
    m = mail[r];
    if
    :: m != 0 && (pending & bit(m)) != 0 -> revoke(r, m)
    :: else
    fi
}

inline settle_slot(r)
{
    scan(r);
    m = mail[r];
    if
#ifndef NO_REVOKE
    :: m != 0 && m != seen && (pending & bit(m)) != 0 -> revoke(r, m)
#endif
    :: else
    fi;
    if
    :: seen != 0 && m != seen -> post(r, seen); late = true
    :: else
    fi
}

inline settle_late(r)
{
    m = mail[r];
    scan(r);
    if
    :: m != 0 && (pending & bit(m)) != 0 && seen != m -> revoke(r, m)
    :: else
    fi
}

/* Removes handler h; h == 2 adds handler 1 instead, which needs no fence of its own. */
inline change(h)
{
    atomic { !locked -> locked = true };
    d_step {
        next = latest + 1;
        if
        :: h == 2 -> shows[next] = shows[current] | 2; birth[1] = next
        :: else -> shows[next] = shows[current] & ~bit(h)
        fi;
        latest = next;
        count[next] = 1;
        old = current;
        if
        :: shows[next] == 0 -> next = 0
        :: else
        fi
    };
    d_step {
        current = next;                                        /* [hp.publish] */
        if
        :: h != 2 -> pinned_by[h] = in_flight[0] + 2 * in_flight[1]
        :: else
        fi
    };
    if
    :: h != 2 -> keeps[old] = bit(h)
    :: else
    fi;
    pending = pending | bit(old);
    freed = 0;
    if
#ifdef OWNER_EARLY
    :: h != 2 -> retire_all(); settle(h)
#else
#ifdef DEFERRED_IGNORED
    :: true ->
        if
        :: h != 2 -> settle(h)
        :: else
        fi;
#else
    :: h != 2 ->                                               /* [hp.deferred] */
        settle(h);
#endif
        if
        :: refused
        :: else -> retire_all()
        fi
#endif
    :: else
    fi;
    seen = 0;
    m = 0;
    late = false;
    locked = false;
    destroy_all(freed);
    d_step {
        next = 0;
        old = 0;
        freed = 0;
        last = false;
        if
        :: h != 2 && !refused ->
            removed[h] = true;
            assert(destroyed[h] || pinned_by[h] != 0)
        :: else
        fi;
#ifdef REFUSED
        /* The next removal frees what the refused one has left. */
        if
        :: h == 1 ->
            removed[0] = true;
            assert(destroyed[0] || pinned_by[0] != 0)
        :: else
        fi;
#endif
        refused = false
    }
}

inline retire_all()
{
    retire(1);
    retire(2);
    retire(LATEST);
    pending = 0
}

#define WRITER_LOCALS byte next; byte old; byte seen; byte m; byte got; byte freed; byte older; \
    bool late; bool last; bool refused

proctype writer()
{
    WRITER_LOCALS;
#if defined(TWO_WRITERS)
    change(0)
#elif defined(REFUSED)
    change(0);
    change(1)
#else
    change(2);
    change(0)
#endif
}

#ifdef TWO_WRITERS
proctype other_writer()
{
    WRITER_LOCALS;
    change(1)
}
#endif

init {
    atomic {
        current = 1;
        count[1] = 1;
        birth[0] = 1;
#ifdef TWO_WRITERS
        birth[1] = 1;
        shows[1] = 3;
        run other_writer();
#elif defined(REFUSED)
        birth[1] = 1;
        shows[1] = 3;
#else
        shows[1] = 1;
#endif
        run reader(0, READS);
#ifndef ONE_READER
        run reader(1, 1);
#endif
#if !defined(FALLBACK) || defined(FALLBACK_BUFFERED)
        run memory(0);
        run memory(1);
#endif
        run writer()
    }
}
