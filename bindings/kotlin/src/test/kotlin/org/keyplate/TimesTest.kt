package org.keyplate

import java.nio.file.Path
import java.time.Instant
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import org.junit.jupiter.api.io.TempDir

/** Times from 1970 to the last millisecond of the year 9999, in both directions. */
class TimesTest {
    @TempDir lateinit var folder: Path

    private val last = Instant.parse("9999-12-31T23:59:59.999Z")
    private val tooLate = listOf(last.plusMillis(1), Instant.parse("+10000-01-01T05:00:00Z"), Instant.MAX)
    private val tooEarly = listOf(Instant.EPOCH.minusSeconds(1), Instant.parse("0000-01-01T00:00:00Z"), Instant.MIN)

    private fun open(): Keyplate = Keyplate.open(Config(folder.resolve("id.db").toString(), "https://media.example"))

    private fun refused(field: String, reason: InputReason, call: () -> Unit) {
        val refusal = assertFailsWith<KeyplateException.InvalidInput> { call() }
        assertEquals(field to reason, refusal.field to refusal.reason)
    }

    @Test
    fun `what lies in the range comes back`() = open().use { keyplate ->
        val times = listOf(last, Instant.parse("9999-12-31T23:59:59Z"), Instant.parse("2999-01-01T00:00:00.001Z"))
        val user = keyplate.createUser(NewUser("ann", expiresAt = last))
        assertEquals(last, user.expiresAt)
        for (time in times) {
            val changed = keyplate.updateUser(user.id, UserChanges(expiry = Expiry.At(time)))
            assertEquals(time, changed.expiresAt)
            assertEquals(time, keyplate.getUser(user.id).expiresAt)
        }
        assertEquals(0, keyplate.listAuditEvents(AuditQuery(since = last)).total)
    }

    @Test
    fun `what lies outside is refused with its field`() = open().use { keyplate ->
        val user = keyplate.createUser(NewUser("ann", expiresAt = last))
        val key = keyplate.createApiKey(NewApiKey("key", listOf("a:b"), ownerId = user.id)).apiKey
        val token = keyplate.createSignupToken(NewSignupToken()).signupToken
        for ((times, past, since) in listOf(
            Triple(tooLate, InputReason.TooLate, InputReason.TooLate),
            Triple(tooEarly, InputReason.InThePast, InputReason.TooEarly),
        )) {
            for (time in times) {
                val at = Expiry.At(time)
                refused("expires_at", past) { keyplate.createUser(NewUser("bob", expiresAt = time)) }
                refused("expiry", past) { keyplate.updateUser(user.id, UserChanges(expiry = at)) }
                refused("expires_at", past) {
                    keyplate.createApiKey(NewApiKey("key", listOf("a:b"), ownerId = user.id, expiresAt = time))
                }
                refused("expiry", past) { keyplate.renewApiKey(key.id, at) }
                refused("expiry", past) { keyplate.rotateApiKey(key.id, KeyRotation(expiry = at)) }
                refused("expiry", past) { keyplate.createSignupToken(NewSignupToken(expiry = at)) }
                refused("expiry", past) { keyplate.updateSignupToken(token.id, SignupTokenChanges(expiry = at)) }
                refused("since", since) { keyplate.listAuditEvents(AuditQuery(since = time)) }
            }
        }
    }
}
