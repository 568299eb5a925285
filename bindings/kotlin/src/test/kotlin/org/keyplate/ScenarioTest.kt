package org.keyplate

import com.google.gson.Gson
import com.google.gson.GsonBuilder
import com.google.gson.ToNumberPolicy
import java.io.File
import java.lang.reflect.InvocationTargetException
import java.nio.file.Path
import java.time.Duration
import java.time.Instant
import java.util.UUID
import kotlin.io.path.createDirectory
import kotlin.reflect.KClass
import kotlin.reflect.KFunction
import kotlin.reflect.KParameter
import kotlin.reflect.KType
import kotlin.reflect.full.memberFunctions
import kotlin.reflect.full.memberProperties
import kotlin.reflect.full.primaryConstructor
import kotlin.reflect.full.superclasses
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir

private typealias Json = Map<String, Any?>

private val START = Instant.parse("2026-11-01T00:00:00Z")
private val CLIENT = ClientInfo(address = "192.0.2.7", userAgent = "test/1")
private val STEP_KEYS = setOf("advance_seconds", "expect", "save")
private val ACTION_KEYS = mapOf(
    "call" to setOf("as", "with", "error"),
    "authenticator" to setOf("do", "options", "origin", "spoil", "throws"),
    "open" to setOf("error"),
)
private val gson: Gson = GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create()

/** Runs `tests/scenarios/`, by reflection; the README there tells their form. */
class ScenarioTest {
    @TempDir lateinit var folder: Path

    @TestFactory
    fun scenarios(): List<DynamicTest> {
        val files = File("../../tests/scenarios").listFiles { file -> file.extension == "json" }.orEmpty().sorted()
        assertTrue(files.isNotEmpty(), "no scenarios")
        return files.map { file -> DynamicTest.dynamicTest(file.nameWithoutExtension) { run(file) } }
    }

    private fun run(file: File) {
        val scenario = file.reader().use { gson.fromJson(it, Any::class.java) }.asObject()
        assertEquals(setOf("about", "steps"), scenario.keys)
        Run(folder.resolve(file.nameWithoutExtension).createDirectory()).use { run ->
            (scenario["steps"] as List<*>).forEachIndexed { index, step ->
                try {
                    run.step(step.asObject())
                } catch (error: Throwable) {
                    throw AssertionError("${file.name}, step ${index + 1}: $error", error)
                }
            }
        }
    }
}

private class Run(private val folder: Path) : TimeSource, AutoCloseable {
    @Volatile private var now = START
    private val saved = mutableMapOf<String, Any?>()
    private val handles = mutableListOf<Keyplate>()
    private var host = open(emptyMap())

    override fun now(): Instant = now

    override fun close() = handles.asReversed().forEach(Keyplate::close)

    fun step(step: Json) {
        now = now.plusSeconds(step["advance_seconds"] as Long? ?: 0)
        val action = ACTION_KEYS.keys.singleOrNull { it in step }
        val known = STEP_KEYS + if (action == null) emptySet() else ACTION_KEYS.getValue(action) + action
        check(known.containsAll(step.keys)) { "an unknown key in $step" }
        val what = step[action ?: return]
        val expectedError = step["error"]?.asObject()
        val throws = step["throws"]
        val result = try {
            perform(action, step)
        } catch (error: KeyplateException) {
            checkError(expectedError ?: throw error, error)
            return
        } catch (error: BrowserException) {
            check(error.name == throws) { "$what throws $error" }
            return
        }
        check(expectedError == null && throws == null) { "$what gave $result" }
        if ("expect" in step) checkResult(filled(step["expect"]), result, "$what")
        for ((key, place) in step["save"].asObject()) saved[key] = at(result, place as String)
    }

    private fun perform(action: String, step: Json): Any? = when (action) {
        "call" -> {
            val method = Keyplate::class.memberFunctions.single { it.name == camel(step["call"] as String) }
            toJson(method.callOn(handle(step["as"] as String? ?: "host"), filled(step["with"]).asObject()))
        }
        "authenticator" -> Browser(folder.resolve("${step["authenticator"]}.json"), step["origin"] as String? ?: ORIGIN)
            .answer(step["do"] as String, filled(step["options"]) as String, step["spoil"] as List<*>? ?: emptyList<Any>())
        else -> {
            host = open(step["open"].asObject())
            null
        }
    }

    private fun open(fields: Json): Keyplate {
        val given = mapOf("path" to folder.resolve("id.db").toString(), "origin" to ORIGIN) + fields
        return Keyplate.open((build(Config::class, given) as Config).copy(timeSource = this)).also(handles::add)
    }

    private fun handle(name: String): Keyplate = when (name) {
        "host" -> host
        "anonymous" -> host.anonymous(CLIENT).also(handles::add)
        else -> host.actingAs(host.authenticatePending(filled(name) as String).principal, CLIENT).also(handles::add)
    }

    /** The value with `"$name"` replaced by what was saved under that name. */
    private fun filled(value: Any?): Any? = when {
        value is String && value.startsWith("$") -> saved.getValue(value.drop(1))
        value is List<*> -> value.map(::filled)
        value is Map<*, *> -> value.mapValues { filled(it.value) }
        else -> value
    }
}

private fun KFunction<*>.callOn(handle: Keyplate, given: Json): Any? {
    val known = parameters.associateBy { it.name?.let(::snake) }
    val unknown = given.keys - known.keys
    check(unknown.isEmpty()) { "$name has no $unknown" }
    val arguments = parameters.associateWith { parameter ->
        if (parameter.kind == KParameter.Kind.INSTANCE) handle else fromJson(given[snake(parameter.name!!)], parameter.type)
    }
    return try {
        callBy(arguments)
    } catch (error: InvocationTargetException) {
        throw error.targetException
    }
}

/** The value as an argument of this type; what is left out has its default. */
private fun fromJson(value: Any?, type: KType): Any? {
    val cls = type.classifier as KClass<*>
    if (value == null && type.isMarkedNullable) return null
    return when {
        cls == String::class -> value ?: ""
        cls == Boolean::class -> value ?: false
        cls == Long::class -> value
        cls == UUID::class -> UUID.fromString(value as String)
        cls == Instant::class -> time(value as String)
        cls == Secret::class -> Secret(value as String)
        cls == List::class -> (value as List<*>? ?: emptyList<Any>()).map { fromJson(it, type.arguments[0].type!!) }
        cls.java.isEnum -> cls.java.enumConstants.single { (it as Enum<*>).name == screaming(value as String) }
        cls.isSealed -> variant(value, cls)
        else -> build(cls, value.asObject())
    }
}

private fun variant(value: Any?, union: KClass<*>): Any {
    val (name, data) = if (value is String) value to null else value.asObject().entries.single().toPair()
    val cls = union.sealedSubclasses.single { it.simpleName == name }
    return cls.objectInstance ?: build(cls, data.asObject())
}

private fun build(cls: KClass<*>, given: Json): Any {
    val constructor = cls.primaryConstructor ?: error("$cls is no record")
    val unknown = given.keys - constructor.parameters.map { snake(it.name!!) }.toSet()
    check(unknown.isEmpty()) { "${cls.simpleName} has no $unknown" }
    val named = constructor.parameters.associateWith { given[snake(it.name!!)] }
    val fields = named.filter { (parameter, value) -> value != null || !parameter.isOptional }
    return constructor.callBy(fields.mapValues { (parameter, value) -> fromJson(value, parameter.type) })
}

private fun toJson(value: Any?): Any? = when (value) {
    null, Unit, is Principal -> null
    is String, is Boolean, is Long -> value
    is Secret -> value.reveal()
    is UUID -> value.toString()
    is Instant -> "+${seconds(maxOf(Duration.between(START, value), Duration.ZERO))}s"
    is Duration -> "${seconds(value)}s"
    is List<*> -> value.map(::toJson)
    is Enum<*> -> value.name.split("_").joinToString("") { it.lowercase().replaceFirstChar(Char::uppercase) }
    else -> record(value)
}

private fun record(value: Any): Any? {
    val cls = value::class
    val inUnion = cls.superclasses.any { it.isSealed }
    val name = cls.simpleName!!
    if (cls.objectInstance != null) return name
    val names = cls.primaryConstructor!!.parameters.map { it.name }
    val fields = cls.memberProperties.filter { it.name in names }.associate { snake(it.name) to toJson(it.call(value)) }
    return if (inUnion) mapOf(name to fields) else fields
}

private fun time(text: String): Instant {
    check(text.startsWith("+") && text.endsWith("s")) { "$text is no time" }
    return START.plusMillis(text.removeSurrounding("+", "s").toBigDecimal().movePointRight(3).longValueExact())
}

private fun seconds(span: Duration): String =
    span.toMillis().toBigDecimal().movePointLeft(3).stripTrailingZeros().toPlainString()

/** What is there in the result; all of it if no place is named. */
private fun at(result: Any?, place: String): Any? =
    place.split(".").filter(String::isNotEmpty).fold(result) { value, part -> if (value is List<*>) value[part.toInt()] else value.asObject().getValue(part) }

/** Objects may hold more than expected; lists may not. Text that is expected to be an object is JSON. */
private fun checkResult(expected: Any?, found: Any?, place: String) {
    if (expected is Map<*, *> && found is String) {
        checkResult(expected, gson.fromJson(found, Any::class.java), place)
    } else if (expected is Map<*, *> && found is Map<*, *>) {
        for ((key, value) in expected) {
            check(key in found) { "$place has no $key" }
            checkResult(value, found[key], "$place.$key")
        }
    } else if (expected is List<*> && found is List<*> && expected.size == found.size) {
        expected.forEachIndexed { index, value -> checkResult(value, found[index], "$place.$index") }
    } else {
        check(expected == found) { "$place is $found, not $expected" }
    }
}

private fun checkError(expected: Json, error: KeyplateException) {
    val found = mapOf(
        "code" to toJson(error.code()),
        "number" to error.code().value.toLong(),
        "field" to error.`field`(),
        "message" to error.message,
        "retry_after_seconds" to error.retryAfter()?.seconds,
        "passkey_failure" to toJson(error.passkeyFailure()),
        "reason" to error.reasonJson()?.let { gson.fromJson(it, Any::class.java) },
        "http_status" to error.httpStatus(),
    )
    for ((key, value) in expected) {
        check(key in found && (value == null || found[key] == value)) { "$found, not $expected" }
    }
}

@Suppress("UNCHECKED_CAST")
private fun Any?.asObject(): Json = (this ?: emptyMap<String, Any?>()) as Json

/** `create_user` → `createUser`. */
private fun camel(name: String) = Regex("_(.)").replace(name) { it.groupValues[1].uppercase() }

/** `createUser` → `create_user`. */
private fun snake(name: String) = Regex("(?<!^)[A-Z]").replace(name) { "_${it.value}" }.lowercase()

/** `OneTimeToken` → `ONE_TIME_TOKEN`. */
private fun screaming(name: String) = snake(name).uppercase()
