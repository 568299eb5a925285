// Calls the library with prepared data, for `cargo xtask bench`: for each line `FROM COUNT` so many times, from that secret
// on; answers with the nanoseconds. Arguments: the folder, and what is called.

package org.keyplate.bench

import java.io.File
import org.keyplate.ClientInfo
import org.keyplate.Config
import org.keyplate.Keyplate
import org.keyplate.UserQuery

fun main(arguments: Array<String>) {
    val (folder, what) = arguments
    Keyplate.open(Config("$folder/id.db", "https://media.example")).use { keyplate ->
        val secrets = when (what) {
            "authenticate" -> sessions(keyplate)
            else -> File(folder, "secrets").readLines().filter { it.isNotEmpty() }
        }
        val call: (String) -> Any = when (what) {
            "authenticate" -> keyplate::authenticate
            "verify_api_key" -> keyplate::verifyApiKey
            "list_users" -> { _ -> keyplate.listUsers(UserQuery(limit = 100)).also { check(it.items.size == 100) } }
            else -> error("nothing to call: $what")
        }
        for (line in generateSequence(::readLine)) {
            val (from, count) = line.split(" ").map(String::toInt)
            val turn = List(count) { secrets[(from + it) % secrets.size] }
            val began = System.nanoTime()
            for (secret in turn) call(secret)
            println(System.nanoTime() - began)
        }
    }
}

/** Of some of the users. */
private fun sessions(keyplate: Keyplate): List<String> =
    keyplate.listUsers(UserQuery(limit = 500)).items.map { keyplate.createSession(it.id, ClientInfo(), null).secret.reveal() }
