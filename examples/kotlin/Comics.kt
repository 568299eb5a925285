// A comic library's server: set-up, invitations, passkeys, a protected route, app passwords for readers without a browser.
// It uses the server that every JDK has. The numbers are those of docs/hosts.md.
//
// bindings/kotlin/test.sh compiles it and drives it in a browser; `Comics.main(FOLDER PORT ROOT)` runs it, where ROOT is this
// repository, whose lines of JavaScript for passkeys it sends.

package org.keyplate.example

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import java.net.InetSocketAddress
import java.net.URLDecoder
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.Base64
import java.util.concurrent.Executors
import org.keyplate.ApprovalRule
import org.keyplate.Authenticated
import org.keyplate.ClientInfo
import org.keyplate.Config
import org.keyplate.EventSink
import org.keyplate.Keyplate
import org.keyplate.KeyplateException
import org.keyplate.Limit
import org.keyplate.NewAdmin
import org.keyplate.NewAppPassword
import org.keyplate.NewService
import org.keyplate.NewSignup
import org.keyplate.NewSignupToken
import org.keyplate.PasskeyCeremony
import org.keyplate.Secret
import org.keyplate.SettingsChanges
import org.keyplate.SetupStage
import org.keyplate.SignedIn
import org.keyplate.SignupMode
import org.keyplate.usersSequence

private val COMICS = listOf("Little Nemo", "Krazy Kat", "Gasoline Alley")

/** What goes back to the browser. */
private class Answer(val status: Int, val body: String, val type: String = "application/json")

private fun json(vararg members: Pair<String, Any?>) = members.joinToString(",", "{", "}") { (name, value) ->
    "\"$name\":" + when (value) {
        null, is Boolean, is Long -> "$value"
        is List<*> -> value.joinToString(",", "[", "]") { quoted("$it") }
        else -> quoted("$value")
    }
}

private fun quoted(text: String) = buildString {
    append('"')
    for (letter in text) {
        if (letter < ' ' || letter == '"' || letter == '\\') append("\\u%04x".format(letter.code)) else append(letter)
    }
    append('"')
}

/** One request, and who sent it. */
private class Request(private val exchange: HttpExchange) {
    val route = "${exchange.requestMethod} ${exchange.requestURI.path}"

    val form: Map<String, String> by lazy {
        val body = exchange.requestBody.readNBytes(LARGEST).decodeToString()
        body.split("&").filter { "=" in it }.associate { pair ->
            val (name, value) = pair.split("=", limit = 2).map { URLDecoder.decode(it, Charsets.UTF_8) }
            name to value
        }
    }

    /** Number 2: nobody is in front of this server, so the address is the connection's. */
    val client = ClientInfo(address = exchange.remoteAddress.address.hostAddress, userAgent = header("User-Agent"))

    fun header(name: String): String? = exchange.requestHeaders.getFirst(name)

    fun cookie(name: String): String? = header("Cookie").orEmpty().split("; ").firstOrNull { it.startsWith("$name=") }?.substringAfter('=')

    /** Number 5: the port is in each name, as there is no https here. Whoever has https writes `Secure` and `__Host-` too. */
    fun setCookie(name: String, value: String, life: Duration) =
        exchange.responseHeaders.add("Set-Cookie", "$name=$value; Path=/; HttpOnly; SameSite=Lax; Max-Age=${life.seconds}")

    fun send(answer: Answer) = exchange.use {
        val body = answer.body.toByteArray()
        exchange.responseHeaders.add("Content-Type", "${answer.type}; charset=utf-8")
        exchange.responseHeaders.add("Cache-Control", "no-store")
        exchange.sendResponseHeaders(answer.status, body.size.toLong())
        exchange.responseBody.write(body)
    }

    private companion object {
        const val LARGEST = 100_000

        inline fun HttpExchange.use(block: () -> Unit) = try { block() } finally { close() }
    }
}

class Comics(private val keyplate: Keyplate, private val port: Int, private val root: Path) {
    private val origin = "http://localhost:$port"
    private val sessionCookie = "comics-$port"

    /** Opens what is this application's own, once. */
    private fun prepare() {
        keyplate.updateSettings(SettingsChanges(signupMode = SignupMode.WITH_TOKEN))
        try {
            val readers = keyplate.createService(NewService(slug = READERS))
            keyplate.setServiceAccess(readers.id, true, emptyList())
        } catch (there: KeyplateException.Conflict) {
            // Since an earlier start.
        }
        // Number 1: the link is for whoever runs this.
        if (keyplate.getSetupState().stage == SetupStage.UNINITIALISED) {
            println("set-up: $origin/#setup=${keyplate.createSetupToken().secret.reveal()}")
        }
    }

    private fun answer(request: Request): Answer = when (request.route) {
        "GET /" -> page("examples/kotlin/web/index.html", "text/html")
        "GET /comics.js" -> page("examples/kotlin/web/comics.js", "text/javascript")
        "GET /webauthn.js" -> page("examples/server/web/kit/webauthn.js", "text/javascript")
        "POST /set-up" -> asStranger(request) { signedIn(request, it.claimSetup(request.form["token"], NewAdmin(request["username"]))) }
        "POST /sign-up/begin" -> asStranger(request) {
            begun(request, it.beginPasskeySignup(NewSignup(request["username"], token = Secret(request["token"]))))
        }
        "POST /sign-up/finish" -> asStranger(request) { signedIn(request, it.finishPasskeySignup(ceremony(request), request["answer"])) }
        "POST /sign-in/begin" -> asStranger(request) { begun(request, it.beginPasskeyLogin()) }
        "POST /sign-in/finish" -> asStranger(request) { signedIn(request, it.finishPasskeyLogin(ceremony(request), request["answer"])) }
        // The first passkey completes set-up, and replaces the session that no passkey opened (number 7).
        "POST /passkeys/begin" -> asUser(request) { _, own -> begun(request, own.beginPasskeyRegistration()) }
        "POST /passkeys/finish" -> asUser(request) { _, own ->
            val made = own.finishPasskeyRegistration(ceremony(request), request["answer"], null)
            made.signedIn?.let { signedIn(request, it) } ?: Answer(200, json("passkey" to made.passkey.name))
        }
        "POST /sign-out" -> asUser(request) { who, own ->
            who.sessionId?.let(own::revokeSession)
            request.setCookie(sessionCookie, "", Duration.ZERO)
            Answer(200, json())
        }
        "GET /me" -> asUser(request) { who, _ -> Answer(200, json("username" to who.username, "role" to who.role)) }
        // The protected route: whoever waits for approval is refused with 403 by `authenticate` itself.
        "GET /comics" -> asUser(request) { who, _ -> Answer(200, json("reader" to who.username, "comics" to COMICS)) }
        "POST /invitations" -> asUser(request) { _, own ->
            val rule = if (request.form["approval"] == "yes") ApprovalRule.NEEDED else null
            val made = own.createSignupToken(NewSignupToken(uses = Limit.AtMost(1), approval = rule))
            Answer(200, json("link" to "$origin/#invitation=${made.secret.reveal()}"))
        }
        "POST /approvals" -> asUser(request) { _, own ->
            val waiting = own.findUserByUsername(request["username"]) ?: return@asUser Answer(404, json("error" to "nobody"))
            Answer(200, json("status" to own.approveUser(waiting.id).status))
        }
        "GET /readers" -> asUser(request) { _, own -> Answer(200, json("readers" to own.usersSequence().map { it.username }.toList())) }
        "POST /app-passwords" -> asUser(request) { _, own ->
            Answer(200, json("secret" to own.createAppPassword(NewAppPassword(request["name"], service = READERS)).secret.reveal()))
        }
        // A reader on a tablet knows name and password alone.
        "GET /feed" -> {
            val (name, secret) = basic(request)
            val who = keyplate.verifyAppPassword(name, secret, READERS, request.client)
            Answer(200, COMICS.joinToString("\n", "For ${who.username}:\n"), "text/plain")
        }
        else -> Answer(404, json("error" to "there is nothing here"))
    }

    private operator fun Request.get(name: String) = form[name].orEmpty()

    private fun page(name: String, type: String) = Answer(200, Files.readString(root.resolve(name)), type)

    private fun asStranger(request: Request, block: (Keyplate) -> Answer): Answer = keyplate.anonymous(request.client).use(block)

    /** Numbers 3 and 4: asked at every request, and from then on the library checks the rights of that user. */
    private fun asUser(request: Request, block: (Authenticated, Keyplate) -> Answer): Answer {
        val who = keyplate.authenticate(request.cookie(sessionCookie).orEmpty())
        return keyplate.actingAs(who.principal, request.client).use { block(who, it) }
    }

    /** Each ceremony has a cookie, since somebody may have begun one in each of several tabs. */
    private fun begun(request: Request, ceremony: PasskeyCeremony): Answer {
        request.setCookie("$sessionCookie-${ceremony.id}", ceremony.ceremony, Duration.ofMinutes(10))
        return Answer(200, ceremony.options)
    }

    private fun ceremony(request: Request): String {
        val id = keyplate.inspectPasskeyAnswer(request["answer"]).ceremonyId
        return request.cookie("$sessionCookie-$id").orEmpty()
    }

    private fun signedIn(request: Request, made: SignedIn): Answer {
        request.setCookie(sessionCookie, made.secret.reveal(), Duration.between(Instant.now(), made.session.expiresAt))
        return Answer(200, json("username" to made.user.username, "status" to made.user.status))
    }

    private fun basic(request: Request): Pair<String, String> {
        val given = request.header("Authorization").orEmpty().removePrefix("Basic ")
        val text = runCatching { Base64.getDecoder().decode(given).decodeToString() }.getOrDefault("")
        return text.substringBefore(':') to text.substringAfter(':', "")
    }

    private fun handle(exchange: HttpExchange) {
        val request = Request(exchange)
        val answer = try {
            // Number 6: what another site's page sends has that site's origin.
            val foreign = exchange.requestMethod != "GET" && request.header("Origin").let { it != null && it != origin }
            if (foreign) Answer(403, json("error" to "another site")) else answer(request)
        } catch (refusal: KeyplateException) {
            // Number 9: the status and the reason are for the page, the message for the log.
            if (refusal.httpStatus() >= 500) System.err.println("error: ${refusal.message}")
            if (request.route == "GET /feed") exchange.responseHeaders.add("WWW-Authenticate", "Basic realm=\"comics\"")
            refusal.retryAfter()?.let { exchange.responseHeaders.add("Retry-After", "${it.toSeconds() + 1}") }
            Answer(refusal.httpStatus().toInt(), json("error" to refusal.code(), "field" to refusal.`field`(), "reason" to refusal.reasonCode()))
        }
        request.send(answer)
    }

    fun serve(): HttpServer {
        prepare()
        val server = HttpServer.create(InetSocketAddress("127.0.0.1", port), 0)
        server.executor = Executors.newFixedThreadPool(8)
        server.createContext("/") { exchange ->
            try {
                handle(exchange)
            } catch (defect: Exception) {
                System.err.println("error: $defect")
                exchange.close()
            }
        }
        server.start()
        println("comics: $origin")
        return server
    }

    companion object {
        private const val READERS = "readers"

        @JvmStatic
        fun main(arguments: Array<String>) {
            val (folder, port, root) = arguments
            // Called after the commit, on the thread of the request: it hands on and returns.
            val log = EventSink { event -> println("event: ${event.kind} ${event.username.orEmpty()}") }
            val config = Config("$folder/id.db", "http://localhost:$port", events = log)
            Comics(Keyplate.open(config), port.toInt(), Path.of(root)).serve()
        }
    }
}
