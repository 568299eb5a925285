package org.keyplate

import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import kotlin.reflect.KClass
import kotlin.reflect.full.memberProperties
import kotlin.reflect.full.primaryConstructor
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.jupiter.api.io.TempDir

/** Every error arrives as its case with its fields; a defect of the library is an error too. */
class ErrorsTest {
    @TempDir lateinit var folder: Path

    private fun open(events: EventSink? = null): Keyplate =
        Keyplate.open(Config(folder.resolve("id.db").toString(), ORIGIN, events = events))

    /** Any value of the field's type. */
    private fun sample(cls: KClass<*>): Any = when {
        cls == String::class -> "some text"
        cls == Long::class -> 7L
        cls == Duration::class -> Duration.ofMillis(2500)
        cls.java.isEnum -> cls.java.enumConstants.last()
        cls.isSealed -> cls.sealedSubclasses.let { all -> make(all.firstOrNull { it.objectInstance == null } ?: all.first()) }
        else -> error("no sample of $cls")
    }

    private fun make(cls: KClass<*>): Any = cls.objectInstance ?: cls.primaryConstructor!!.let { constructor ->
        constructor.callBy(constructor.parameters.associateWith { sample(it.type.classifier as KClass<*>) })
    }

    private fun fields(value: Any) = value::class.primaryConstructor!!.parameters.map { parameter ->
        value::class.memberProperties.single { it.name == parameter.name }.call(value)
    }

    @Test
    fun `every case crosses with its fields`() {
        val cases = KeyplateException::class.sealedSubclasses
        val seen = cases.map { cls ->
            val made = make(cls) as KeyplateException
            // As Rust hands one out, and as it takes one.
            val buffer = ByteBuffer.allocate(FfiConverterTypeKeyplateError.allocationSize(made).toInt())
            FfiConverterTypeKeyplateError.write(made, buffer)
            val come = FfiConverterTypeKeyplateError.read(buffer.flip())
            assertEquals(cls, come::class)
            assertEquals(fields(made), fields(come))
            val code = come.code()
            assertEquals(cls.simpleName!!.uppercase(), code.name.replace("_", ""))
            assertTrue(come.httpStatus() in 400..599, "$cls")
            assertTrue(!come.message.isNullOrBlank() && come.message == come.toString(), "$cls")
            assertEquals(made.`field`(), come.`field`())
            assertEquals(made.retryAfter(), come.retryAfter())
            if (come is KeyplateException.RateLimited) assertEquals(Duration.ofMillis(2500), come.retryAfter())
            code
        }
        assertEquals(ErrorCode.entries.toSet() - ErrorCode.OK, seen.toSet())
        assertEquals(seen.size, seen.toSet().size)
    }

    @Test
    fun `a panic in the library is an error, and the next call works`() = open().use { keyplate ->
        val file = Path.of(System.getenv("KEYPLATE_TEST_PANIC"))
        Files.createFile(file)
        val defect = assertFailsWith<KeyplateException.Internal> { keyplate.createUser(NewUser("ann")) }
        assertEquals("a panic in the library", defect.reason)
        assertTrue(Files.notExists(file))
        assertEquals(500, defect.httpStatus())
        assertNull(keyplate.findUserByUsername("ann"))
        assertEquals("ann", keyplate.createUser(NewUser("ann")).username)
    }

    @Test
    fun `an error of the machine in the sink changes nothing`() {
        open(EventSink { throw StackOverflowError("odd") }).use { keyplate ->
            val user = keyplate.createUser(NewUser("ann"))
            assertEquals(user, keyplate.getUser(user.id))
        }
        open(EventSink { TODO("an event") }).use { keyplate -> keyplate.createUser(NewUser("ben")) }
    }

    @Test
    fun `a closed handle says so, and closing twice is nothing`() {
        val keyplate = open()
        keyplate.close()
        keyplate.close()
        assertFailsWith<IllegalStateException> { keyplate.getSetupState() }
        // Records with an object in them can be closed as well.
        open().use { next ->
            val user = next.createUser(NewUser("ann"))
            val session = next.createSession(user.id, ClientInfo(), null)
            session.destroy()
            assertFailsWith<IllegalStateException> { session.secret.reveal() }
        }
    }

    @Test
    fun `text of every length and script comes back`() = open().use { keyplate ->
        val user = keyplate.createUser(NewUser("ann"))
        for (length in listOf(0, 1, 20, 21, 63, 64, 65, 100)) {
            for (letter in listOf("x", "ü", "語", "𝔞")) {
                val name = letter.repeat(length)
                val wanted = name.ifEmpty { null }
                val named = keyplate.updateUser(user.id, UserChanges(displayName = name))
                assertEquals(wanted ?: "", named.displayName ?: "")
            }
        }
        // Longer than any buffer that is kept.
        val long = "x".repeat(100_000)
        val tooLong = assertFailsWith<KeyplateException.InvalidInput> { keyplate.createUser(NewUser(long)) }
        assertEquals("username", tooLong.field)
        assertEquals(long, Secret(long).reveal())
    }
}
