// Sign-up and sign-in by a passkey. The options go to the browser, its answer comes back.
//
// On Android, CredentialManager takes the place of the browser, and the same JSON.

package org.keyplate.example

import org.keyplate.ClientInfo
import org.keyplate.Keyplate
import org.keyplate.KeyplateException
import org.keyplate.NewSignup
import org.keyplate.PasskeyFailure
import org.keyplate.SettingsChanges
import org.keyplate.SignedIn
import org.keyplate.SignupMode

/** What a page does with the options: `navigator.credentials.create()` or `get()`, and the answer as JSON. */
interface Page {
    fun create(options: String): String

    fun get(options: String): String
}

/** Between the two calls a web application keeps the ceremony's name in a cookie. */
fun signUp(stranger: Keyplate, username: String, page: Page): SignedIn {
    val begun = stranger.beginPasskeySignup(NewSignup(username = username))
    return stranger.finishPasskeySignup(begun.ceremony, page.create(begun.options))
}

/** Whoever holds a passkey need not say their name. */
fun signIn(stranger: Keyplate, page: Page): SignedIn {
    val begun = stranger.beginPasskeyLogin()
    return stranger.finishPasskeyLogin(begun.ceremony, page.get(begun.options))
}

fun passkeys(keyplate: Keyplate, page: Page) {
    keyplate.updateSettings(SettingsChanges(signupMode = SignupMode.OPEN))
    keyplate.anonymous(ClientInfo(address = "192.0.2.7")).use { stranger ->
        println("Signed up: ${signUp(stranger, "bob", page).user.username}")
        try {
            println("Signed in: ${signIn(stranger, page).user.username}")
        } catch (refusal: KeyplateException.PasskeyCeremonyFailed) {
            println(if (refusal.reason == PasskeyFailure.WRONG_ORIGIN) "Is the page at the configured origin?" else refusal.message)
        }
    }
}
