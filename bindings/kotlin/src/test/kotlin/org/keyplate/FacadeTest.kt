package org.keyplate

import java.nio.file.Path
import java.time.Instant
import java.util.UUID
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue
import org.junit.jupiter.api.io.TempDir
import org.keyplate.example.Page
import org.keyplate.example.main
import org.keyplate.example.passkeys

/** First run, refusals, events, time: the facade as Kotlin has it. */
class FacadeTest {
    @TempDir lateinit var folder: Path

    private fun open(events: EventSink? = null, timeSource: TimeSource? = null): Keyplate {
        val path = folder.resolve("id.db").toString()
        return Keyplate.open(Config(path, "https://media.example", events = events, timeSource = timeSource))
    }

    @Test
    fun `first run`() = open().use { keyplate ->
        val token = keyplate.createSetupToken().secret.reveal()
        val admin = keyplate.anonymous(ClientInfo(address = "192.0.2.7")).use { stranger ->
            assertFailsWith<KeyplateException.InvalidCredential> { stranger.claimSetup(null, NewAdmin("ann")) }
            stranger.claimSetup(token, NewAdmin("ann"))
        }
        assertEquals(Role.ADMINISTRATOR, admin.user.role)
        val session = keyplate.authenticate(admin.secret.reveal())
        keyplate.actingAs(session.principal, ClientInfo()).use { ann ->
            val created = ann.createApiKey(NewApiKey("automation", listOf("users:read")))
            val who = keyplate.verifyApiKey(created.secret.reveal())
            assertEquals("ann", who.username)
            assertEquals(created.apiKey.id, who.apiKeyId)
            assertEquals(listOf("users:read"), who.scopes)
            assertEquals(listOf("automation"), ann.completeSetup().apiKeys.map { it.name })
        }
    }

    @Test
    fun `who may use a service`(): Unit = open().use { keyplate ->
        val bob = keyplate.createUser(NewUser(username = "bob"))
        val films = keyplate.createService(NewService(slug = "films"))
        val session = keyplate.createSession(bob.id, ClientInfo(), null)
        val principal = keyplate.authenticate(session.secret.reveal()).principal
        assertEquals(DecisionReason.CLOSED, keyplate.authorize(principal, "films").reason)
        keyplate.setServiceAccess(films.id, true, emptyList())
        val decision = keyplate.authorize(principal, films.id.toString())
        assertTrue(decision.allowed)
        assertEquals(bob.id, decision.userId)
        val identity = keyplate.describe(principal)
        assertEquals(bob.id, identity.user.id)
        assertEquals(listOf("films"), identity.services.map { it.slug })

        val token = keyplate.issueAccessToken(principal, "films", 60)
        assertEquals(films.id, token.serviceId)
        assertEquals("Secret(redacted)", token.secret.toString())
        val claims = keyplate.verifyAccessToken(token.secret.reveal(), "films")
        assertEquals(listOf("*"), claims.scopes)
        keyplate.setServiceAccess(films.id, false, emptyList())
        assertFailsWith<KeyplateException.PermissionDenied> { keyplate.verifyAccessToken(token.secret.reveal(), "films") }
    }

    @Test
    fun `a refusal has its particulars`() = open().use { keyplate ->
        val refusal = assertFailsWith<KeyplateException.InvalidInput> {
            keyplate.createUser(NewUser(username = "ben", email = "no address"))
        }
        assertEquals("email", refusal.field)
        assertEquals("email", refusal.field())
        assertEquals(ErrorCode.INVALID_INPUT, refusal.code())
        assertEquals(1, refusal.code().value)
        assertNull(refusal.retryAfter())
        assertEquals(InputReason.NotEmail, refusal.reason)
        assertEquals("not_email" to """{"code":"not_email"}""", refusal.reasonCode() to refusal.reasonJson())
        assertEquals(400, refusal.httpStatus())
        assertEquals("invalid email: is not an e-mail address", refusal.message)
        val tooLong = assertFailsWith<KeyplateException.InvalidInput> { keyplate.createUser(NewUser("x".repeat(51))) }
        assertEquals(InputReason.TooLong(most = 50), tooLong.reason)
        assertNull(keyplate.findUserByUsername("ben"))
        assertEquals(Thing.USER, assertFailsWith<KeyplateException.NotFound> { keyplate.getUser(UUID.randomUUID()) }.what)
        assertFailsWith<KeyplateException.Configuration> { Keyplate.open(Config("x.db", "media.example")) }
        Unit
    }

    @Test
    fun `what is left out of a change stays`() = open().use { keyplate ->
        val end = Instant.parse("2100-01-01T00:00:00.123Z")
        val user = keyplate.createUser(NewUser(username = "ben", email = "ben@media.example", expiresAt = end))
        assertEquals(end, user.expiresAt)
        val named = keyplate.updateUser(user.id, UserChanges(displayName = "Ben"))
        assertEquals("ben@media.example" to end, named.email to named.expiresAt)
        val cleared = keyplate.updateUser(user.id, UserChanges(email = "", expiry = Expiry.Never))
        assertEquals(null to null, cleared.email to cleared.expiresAt)
        assertEquals(cleared, keyplate.getUser(user.id))
    }

    @Test
    fun `no secret is printed`() = open().use { keyplate ->
        val created = keyplate.createSetupToken()
        assertFalse(created.secret.reveal() in created.toString())
        assertTrue("redacted" in created.toString())
        val text = "kp_inv_a_secret_of_the_host_s_with_many_letters"
        val inputs = listOf(
            NewSignup("ben", token = Secret(text)),
            Config("id.db", "https://media.example", encryptionKey = Secret(text)),
        )
        for (input in inputs) {
            assertFalse(text in input.toString())
            assertTrue("redacted" in input.toString())
        }
    }

    @Test
    fun `a sign-up token goes in as it came out, or as text`() = open().use { keyplate ->
        keyplate.updateSettings(SettingsChanges(signupMode = SignupMode.WITH_TOKEN))
        val invitation = keyplate.createSignupToken(NewSignupToken(uses = Limit.AtMost(2))).secret
        keyplate.anonymous(ClientInfo()).use { friend ->
            assertEquals("ann", friend.signUp(NewSignup("ann", token = invitation)).user.username)
            assertEquals("ben", friend.signUp(NewSignup("ben", token = Secret(invitation.reveal()))).user.username)
        }
    }

    @Test
    fun `events are heard and may call back`() {
        val heard = mutableListOf<AuditEvent>()
        var handle: Keyplate? = null
        val sink = object : EventSink {
            override fun onEvent(event: AuditEvent) {
                handle?.getSetupState()
                heard += event
            }
        }
        open(events = sink).use { keyplate ->
            handle = keyplate
            keyplate.createUser(NewUser("ben"))
        }
        assertEquals(listOf("ben"), heard.filter { it.kind == EventKind.USER_CREATED }.map { it.username })
    }

    @Test
    fun `an exception in the sink changes nothing`() {
        val sink = object : EventSink {
            override fun onEvent(event: AuditEvent): Unit = throw IllegalStateException("odd")
        }
        open(events = sink).use { keyplate ->
            val user = keyplate.createUser(NewUser("ben"))
            assertEquals(user, keyplate.getUser(user.id))
            keyplate.deleteUser(user.id)
            assertNull(keyplate.findUserByUsername("ben"))
        }
    }

    @Test
    fun `the host tells the time`() {
        val now = Instant.parse("2100-01-01T12:00:00.005Z")
        val clock = object : TimeSource {
            override fun now(): Instant = now
        }
        open(timeSource = clock).use { keyplate ->
            assertEquals(now, keyplate.createUser(NewUser("ben")).createdAt)
        }
    }

    @Test
    fun `an exception in the time source is an ordinary error`() {
        val noon = Instant.parse("2026-11-01T12:00:00Z")
        var broken = false
        val clock = object : TimeSource {
            override fun now(): Instant = if (broken) throw IllegalStateException("no clock") else noon
        }
        open(timeSource = clock).use { keyplate ->
            broken = true
            assertFailsWith<KeyplateException.Internal> { keyplate.createUser(NewUser("ben")) }
            assertFailsWith<KeyplateException.Internal> { keyplate.purgeExpired() }
            broken = false
            assertEquals(noon, keyplate.createUser(NewUser("carl")).createdAt)
        }
    }

    @Test
    fun `threads share a handle`() = open().use { keyplate ->
        val workers = List(4) { number ->
            thread { repeat(10) { keyplate.createUser(NewUser("user-$number-$it")) } }
        }
        workers.forEach(Thread::join)
        assertEquals(40, keyplate.listUsers(UserQuery(limit = 1)).total)
    }

    @Test
    fun `a configuration has lists`() {
        val config = Config(folder.resolve("id.db").toString(), "https://tv.home.example", rpId = "home.example", moreOrigins = listOf("https://home.example", "https://x.home.example"))
        Keyplate.open(config).use { keyplate ->
            assertTrue("\"rpId\":\"home.example\"" in keyplate.anonymous(ClientInfo()).use { it.beginPasskeyLogin() }.options)
        }
        val refusal = assertFailsWith<KeyplateException.Configuration> {
            Keyplate.open(config.copy(moreOrigins = listOf("https://home.example", "https://other.example")))
        }
        assertEquals("more_origins", refusal.field())
    }

    @Test
    fun `a failed ceremony has its reason`() = open().use { keyplate ->
        val failure = assertFailsWith<KeyplateException.PasskeyCeremonyFailed> { keyplate.finishPasskeyLogin("x", "{}") }
        assertEquals(PasskeyFailure.UNKNOWN_CEREMONY, failure.reason)
        assertEquals(PasskeyFailure.UNKNOWN_CEREMONY, failure.passkeyFailure())
        assertEquals(ErrorCode.PASSKEY_CEREMONY_FAILED to 103, failure.code() to failure.code().value)
        assertEquals("passkey ceremony failed: no such ceremony", failure.message)
        assertNull(assertFailsWith<KeyplateException> { keyplate.verifySession("x") }.passkeyFailure())
    }

    @Test
    fun `the example runs`() = main(arrayOf(folder.resolve("example.db").toString()))

    @Test
    fun `the example of passkeys runs`() = open().use { keyplate ->
        val browser = Browser(folder.resolve("phone.json"))
        val page = object : Page {
            override fun create(options: String) = browser.answer("register", options)

            override fun get(options: String) = browser.answer("authenticate", options)
        }
        passkeys(keyplate, page)
        assertEquals(listOf("bob"), keyplate.listUsers(UserQuery()).items.map { it.username })
        assertEquals(2, keyplate.listSessions(SessionQuery()).total)
    }
}
