// The first run of an application: claim setup, make an API key, verify it.
//
// bindings/kotlin/test.sh compiles and runs it; an application of yours depends on org.keyplate:keyplate and no more.

package org.keyplate.example

import java.nio.file.Files
import org.keyplate.ClientInfo
import org.keyplate.Config
import org.keyplate.Keyplate
import org.keyplate.KeyplateException
import org.keyplate.NewAdmin
import org.keyplate.NewApiKey

/** Makes the first administrator, and returns a handle with their rights. */
fun claimSetup(keyplate: Keyplate): Keyplate {
    val token = keyplate.createSetupToken().secret.reveal()
    val admin = keyplate.anonymous(ClientInfo(address = "192.0.2.7")).use { stranger ->
        stranger.claimSetup(token, NewAdmin(username = "ann"))
    }
    val session = keyplate.authenticate(admin.secret.reveal())
    return keyplate.actingAs(session.principal, ClientInfo())
}

fun main(arguments: Array<String>) {
    val path = arguments.firstOrNull() ?: Files.createTempDirectory("keyplate").resolve("id.db").toString()
    Keyplate.open(Config(path = path, origin = "https://media.example")).use { keyplate ->
        val key = claimSetup(keyplate).use { ann ->
            ann.createApiKey(NewApiKey(name = "automation", scopes = listOf("users:read"))).also { ann.completeSetup() }
        }
        println("API key: ${key.secret.reveal()}")
        println("It is ${keyplate.verifyApiKey(key.secret.reveal()).username}'s.")
        try {
            keyplate.verifyApiKey("nonsense")
        } catch (refusal: KeyplateException.InvalidCredential) {
            println("Anything else: ${refusal.message}")
        }
    }
}
