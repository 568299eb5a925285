// How a call crosses to Rust. `cargo xtask generate kotlin` puts this in the place of what UniFFI writes for it, since a
// structure of JNA's costs more than the whole rest of a call: arguments and results are numbers in memory that each
// thread keeps, and the buffers that Rust returned carry the next arguments (ADR 23).

package org.keyplate

import com.sun.jna.Memory
import com.sun.jna.Pointer
import com.sun.jna.Structure
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * Bytes that Rust has allocated. Whoever has it hands it back to Rust once: as an argument, or to be freed.
 *
 * @suppress
 */
class RustBuffer internal constructor(
    @JvmField internal val capacity: Long,
    @JvmField internal var len: Long,
    @JvmField internal val data: Pointer?,
) {
    internal fun asByteBuffer(): ByteBuffer? = data?.getByteBuffer(0, len)?.order(ByteOrder.BIG_ENDIAN)

    internal companion object {
        fun alloc(size: ULong): RustBuffer = UniffiFrame.current().allocate(size.toLong())

        fun free(buffer: RustBuffer) = UniffiFrame.current().free(buffer)
    }
}

/** What became of a call; an error or a panic has its buffer. */
internal class UniffiRustCallStatus {
    @JvmField var code: Byte = UNIFFI_CALL_SUCCESS
    @JvmField var error_buf: RustBuffer = EMPTY

    fun isSuccess() = code == UNIFFI_CALL_SUCCESS

    fun isError() = code == UNIFFI_CALL_ERROR

    fun isPanic() = code == UNIFFI_CALL_UNEXPECTED_ERROR

    private companion object {
        val EMPTY = RustBuffer(0, 0, null)
    }
}

/**
 * The memory through which one thread's calls go: UniFFI's "FFI buffers", of elements of eight bytes. Rust reads the
 * arguments before it calls anybody back, and writes the result when it is done; so calls of the same thread that lie
 * inside each other can share it.
 */
internal class UniffiFrame private constructor() {
    private val memory = Memory(ELEMENT * (ARGUMENTS + RESULTS))
    private val elements: ByteBuffer = memory.getByteBuffer(0, memory.size()).order(ByteOrder.nativeOrder())
    private val kept = Kept()

    /** For Rust. */
    val arguments: Pointer = memory.share(0)
    val results: Pointer = memory.share(ELEMENT * ARGUMENTS)

    init {
        UniffiLib.CLEANER.register(this, kept)
    }

    fun begin(): UniffiFrame {
        elements.position(0)
        return this
    }

    fun put(value: Long): UniffiFrame {
        elements.putLong(value)
        return this
    }

    fun put(value: Byte): UniffiFrame {
        val next = elements.position() + ELEMENT.toInt()
        elements.put(value).position(next)
        return this
    }

    fun put(value: RustBuffer): UniffiFrame =
        put(value.capacity).put(value.len).put(Pointer.nativeValue(value.data))

    fun nothing(status: UniffiRustCallStatus) = end(RESULT, status)

    fun long(status: UniffiRustCallStatus): Long {
        end(RESULT + ELEMENT.toInt(), status)
        return elements.getLong(RESULT)
    }

    fun byte(status: UniffiRustCallStatus): Byte {
        end(RESULT + ELEMENT.toInt(), status)
        return elements.get(RESULT)
    }

    fun buffer(status: UniffiRustCallStatus): RustBuffer {
        end(RESULT + 3 * ELEMENT.toInt(), status)
        return bufferAt(RESULT)
    }

    private fun end(at: Int, status: UniffiRustCallStatus) {
        status.code = elements.get(at)
        if (status.code != UNIFFI_CALL_SUCCESS) status.error_buf = bufferAt(at + ELEMENT.toInt())
    }

    private fun bufferAt(at: Int): RustBuffer {
        val data = elements.getLong(at + 2 * ELEMENT.toInt())
        return RustBuffer(elements.getLong(at), elements.getLong(at + ELEMENT.toInt()), if (data == 0L) null else Pointer(data))
    }

    /** A status for the few functions that take a pointer to one. */
    fun status(): Pointer {
        elements.put(RESULT, UNIFFI_CALL_SUCCESS)
        return results
    }

    /** Such functions cannot fail but by a defect of Rust's. */
    fun check() {
        if (elements.get(RESULT) != UNIFFI_CALL_SUCCESS) throw KeyplateException.Internal("a panic outside of all calls")
    }

    fun allocate(size: Long): RustBuffer {
        val buffer = kept.take(size) ?: UniffiLib.ffi_keyplate_rustbuffer_alloc(size, status()).plain().also { check() }
        buffer.len = size
        return buffer
    }

    /** Wipes it, since it may have held a secret, and keeps it for the next arguments if there is room. */
    fun free(buffer: RustBuffer) {
        buffer.data?.setMemory(0, buffer.len, 0)
        if (!kept.put(buffer)) release(buffer)
    }

    /** Buffers that wait to be used again; those of a thread that has ended are freed. */
    private class Kept : Runnable {
        private val buffers = arrayOfNulls<RustBuffer>(MOST_KEPT)
        private var count = 0

        fun take(size: Long): RustBuffer? {
            for (index in count - 1 downTo 0) {
                val buffer = buffers[index]!!
                if (buffer.capacity < size) continue
                count -= 1
                buffers[index] = buffers[count]
                buffers[count] = null
                return RustBuffer(buffer.capacity, size, buffer.data)
            }
            return null
        }

        fun put(buffer: RustBuffer): Boolean {
            if (count == MOST_KEPT || buffer.capacity !in KEPT_SIZES || buffer.data == null) return false
            buffers[count++] = buffer
            return true
        }

        override fun run() {
            while (count > 0) release(buffers[--count]!!)
        }
    }

    companion object {
        private const val ELEMENT = 8L

        /** `cargo xtask generate kotlin` counts that no call has more. */
        private const val ARGUMENTS = 32
        private const val RESULTS = 8
        private const val RESULT = ARGUMENTS * 8
        private const val MOST_KEPT = 4
        private val KEPT_SIZES = 64L..4096L

        private val FRAMES = ThreadLocal.withInitial { UniffiFrame() }

        fun current(): UniffiFrame = FRAMES.get()

        private fun release(buffer: RustBuffer) {
            val frame = current()
            UniffiLib.ffi_keyplate_rustbuffer_free(UniffiBufferStructure.ByValue().also { it.setValue(buffer) }, frame.status())
            frame.check()
        }
    }
}

/** The buffer as C passes it: for callbacks, and where it is allocated and freed. */
@Structure.FieldOrder("capacity", "len", "data")
internal open class UniffiBufferStructure : Structure() {
    @JvmField var capacity: Long = 0
    @JvmField var len: Long = 0
    @JvmField var data: Pointer? = null

    class ByValue : UniffiBufferStructure(), Structure.ByValue

    fun setValue(other: RustBuffer) {
        capacity = other.capacity
        len = other.len
        data = other.data
    }

    fun plain() = RustBuffer(capacity, len, data)
}

/** The status as C passes it, for callbacks. */
@Structure.FieldOrder("code", "error_buf")
internal open class UniffiStatusStructure : Structure() {
    @JvmField var code: Byte = 0
    @JvmField var error_buf: UniffiBufferStructure.ByValue = UniffiBufferStructure.ByValue()
}

/** A defect of the library: its panic, which Rust has printed, ended the call alone. */
internal fun uniffiPanic(message: RustBuffer): KeyplateException {
    message.data?.let { RustBuffer.free(message) }
    return KeyplateException.Internal("a panic in the library")
}
