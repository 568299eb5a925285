package org.keyplate

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.atomic.AtomicReference
import kotlin.concurrent.thread
import kotlin.streams.toList
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.io.TempDir

/** One object in many threads, objects that nobody closes, and lists page by page. */
class HandlesTest {
    @TempDir lateinit var folder: Path

    private val path get() = folder.resolve("id.db").toRealPath()

    private fun open(events: EventSink? = null): Keyplate =
        Keyplate.open(Config(folder.resolve("id.db").toString(), ORIGIN, events = events))

    @Test
    fun `eight threads share a handle for ten seconds`() {
        val heard = AtomicLong()
        val keyplate = AtomicReference<Keyplate>()
        // It calls back, in the middle of the call whose memory it shares.
        val sink = EventSink {
            keyplate.get()?.getSetupState()
            heard.incrementAndGet()
        }
        open(sink).use { host ->
            keyplate.set(host)
            val users = (0 until THREADS).map { host.createUser(NewUser("user$it")) }
            val failures = AtomicReference<Throwable>()
            val calls = AtomicLong()
            val end = System.nanoTime() + 10_000_000_000
            val workers = users.map { user ->
                thread {
                    try {
                        val secret = host.createSession(user.id, ClientInfo(address = "192.0.2.7"), null).secret.reveal()
                        var turn = 0
                        while (System.nanoTime() < end) {
                            val who = host.authenticate(secret)
                            assertEquals(user.id to user.username, who.userId to who.username)
                            host.actingAs(who.principal, ClientInfo()).use { own -> assertEquals(user.username, own.getUser(user.id).username) }
                            if (turn++ % 50 == 0) {
                                val name = "${user.username} ${"x".repeat(turn % 70)}".trim()
                                assertEquals(name, host.updateUser(user.id, UserChanges(displayName = name)).displayName)
                            }
                            calls.incrementAndGet()
                        }
                    } catch (error: Throwable) {
                        failures.compareAndSet(null, error)
                    }
                }
            }
            workers.forEach(Thread::join)
            failures.get()?.let { throw it }
            assertTrue(calls.get() > THREADS, "only $calls calls")
            assertTrue(heard.get() > THREADS, "only $heard events")
        }
    }

    private fun descriptors(): Int = Files.list(Path.of("/proc/self/fd")).use { entries ->
        entries.toList().count { entry ->
            runCatching { Files.readSymbolicLink(entry).toString() }.getOrDefault("").startsWith(path.toString())
        }
    }

    /** The collector is asked until nothing is open, as the machine may do so late. */
    private fun awaitNoDescriptor() {
        repeat(200) {
            System.gc()
            if (descriptors() == 0) return
            Thread.sleep(50)
        }
        assertEquals(0, descriptors())
    }

    @Test
    fun `what is dropped closes the database`() {
        assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")))
        // In a thread of its own, so that no frame of this one holds an object.
        thread {
            repeat(20) { turn ->
                val keyplate = open()
                keyplate.findUserByUsername("ann") ?: keyplate.createUser(NewUser("ann"))
                keyplate.anonymous(ClientInfo()).getSetupState()
                if (turn == 0) assertTrue(descriptors() > 0)
            }
        }.join()
        awaitNoDescriptor()
        val keyplate = open()
        assertTrue(descriptors() > 0)
        keyplate.close()
        assertEquals(0, descriptors())
    }

    @Test
    fun `lists are read page by page`() = open().use { keyplate ->
        val names = (100 until 125).map { "user$it" }
        names.forEach { keyplate.createUser(NewUser(it)) }
        assertEquals(names.toSet(), keyplate.usersSequence().map { it.username }.toSet())
        val asked = UserQuery(limit = 4, sort = UserSort.USERNAME)
        assertEquals(names, keyplate.usersSequence(asked).map { it.username }.toList())
        assertEquals(names.drop(8), keyplate.usersSequence(asked.copy(page = 3)).map { it.username }.toList())
        assertEquals(names.take(2), keyplate.usersSequence(asked).take(2).map { it.username }.toList())
        assertEquals(names, keyplate.usersStream(asked).map { it.username }.toList())
        assertNull(keyplate.groupsSequence().firstOrNull())
        // The feed goes on where it stood, the oldest first.
        val first = keyplate.listAuditEvents(AuditQuery(after = 0, limit = 1)).items.single()
        val later = keyplate.auditEventsSequence(AuditQuery(after = first.id, limit = 3)).toList()
        assertEquals(later.map { it.id }.sorted(), later.map { it.id })
        assertEquals(names.takeLast(3), later.filter { it.kind == EventKind.USER_CREATED }.takeLast(3).map { it.username })
        assertEquals(later.map { it.id }.toSet() + first.id, keyplate.auditEventsSequence().map { it.id }.toSet())
    }

    private companion object {
        const val THREADS = 8
    }
}
