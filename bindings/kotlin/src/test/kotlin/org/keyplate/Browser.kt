package org.keyplate

import java.io.File
import java.nio.file.Path
import kotlin.io.path.exists

const val ORIGIN = "https://media.example"

/** What a browser throws; `name` is its exception's. */
class BrowserException(line: String) : Exception(line) {
    val name = line.split(": ")[1]
}

/** A browser with a software authenticator, which is kept in `state` and made when it is first asked. */
class Browser(private val state: Path, private val origin: String = ORIGIN) {
    private val program = System.getenv("KEYPLATE_TESTKIT").orEmpty()

    init {
        check(File(program).canExecute()) {
            "KEYPLATE_TESTKIT does not name the program keyplate-testkit, which ./test builds"
        }
    }

    /** The action is `register` or `authenticate`; the spoils are those of `tests/testkit/README.md`. */
    fun answer(action: String, options: String, spoils: List<*> = emptyList<String>()): String {
        if (!state.exists()) run("new", "--state", "$state")
        return run(action, "--state", "$state", "--origin", origin, *spoils.map { "--spoil=$it" }.toTypedArray(), input = options)
    }

    private fun run(vararg arguments: String, input: String = ""): String {
        val process = ProcessBuilder(program, *arguments).start()
        process.outputStream.writer().use { it.write(input) }
        val output = process.inputReader().readText().trim()
        val refusal = process.errorReader().readText().trim()
        return when (process.waitFor()) {
            0 -> output
            1 -> throw BrowserException(refusal)
            else -> error(refusal)
        }
    }
}
