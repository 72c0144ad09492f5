// SPDX-License-Identifier: Apache-2.0
// Apus: Kubernetes in Swift

import CNghttp2
import HTTP

/// The functions that nghttp2 calls. Each only writes to the ``FrameRecorder`` that is its user
/// data; nghttp2 is not entered again from any of them.
enum Callbacks {
    typealias Recorder = UnsafeMutablePointer<FrameRecorder>

    @inline(__always)
    private static func recorder(_ userData: UnsafeMutableRawPointer?) -> Recorder? {
        userData?.assumingMemoryBound(to: FrameRecorder.self)
    }

    /// A fresh set for a new session; the caller frees it with `nghttp2_session_callbacks_del`.
    static func make() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { return nil }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, self.onBeginHeaders)
        nghttp2_session_callbacks_set_on_header_callback2(callbacks, self.onHeader)
        nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, self.onInvalidHeader)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, self.onDataChunk)
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, self.onFrame)
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, self.onFrameSent)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, self.onFrameNotSent)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, self.onStreamClose)
        nghttp2_session_callbacks_set_send_data_callback(callbacks, self.onSendData)
        nghttp2_session_callbacks_set_error_callback2(callbacks, self.onError)
        return callbacks
    }

    // MARK: Receiving

    private static let onBeginHeaders: nghttp2_on_begin_headers_callback = { _, frame, userData in
        guard let recorder = Callbacks.recorder(userData), let frame else { return 0 }
        let category = frame.pointee.headers.cat
        recorder.pointee.beginHeaders(
            isHead: category == NGHTTP2_HCAT_REQUEST || category == NGHTTP2_HCAT_RESPONSE
        )
        return 0
    }

    private static let onHeader: nghttp2_on_header_callback2 = {
        _,
        _,
        name,
        value,
        flags,
        userData in
        guard let recorder = Callbacks.recorder(userData), let name, let value else { return 0 }
        if recorder.pointee.header(name: name, value: value, flags: flags) { return 0 }
        recorder.pointee.crossed = .headerList
        return CInt(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
    }

    /// RFC 9113 section 8.2.1: a field that is not valid makes the message malformed.
    private static let onInvalidHeader: nghttp2_on_invalid_header_callback2 = {
        _,
        _,
        _,
        _,
        _,
        _ in
        CInt(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }

    private static let onDataChunk: nghttp2_on_data_chunk_recv_callback = {
        _,
        _,
        streamID,
        data,
        count,
        userData in
        guard let recorder = Callbacks.recorder(userData), let data,
            let base = recorder.pointee.inputBase
        else { return CInt(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        recorder.pointee.record(
            .data,
            streamID,
            a: UInt32(truncatingIfNeeded: UnsafeRawPointer(data) - base),
            b: UInt32(truncatingIfNeeded: count),
        )
        return 0
    }

    private static let onFrame: nghttp2_on_frame_recv_callback = { _, frame, userData in
        guard let recorder = Callbacks.recorder(userData), let frame else { return 0 }
        let header = frame.pointee.hd
        let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isAck = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue:
            if endsStream {
                recorder.pointee.record(.endStream, header.stream_id)
            } else if header.length == frame.pointee.data.padlen {
                recorder.pointee.counters.emptyData &+= 1
            }
        case NGHTTP2_HEADERS.rawValue:
            recorder.pointee.endHeaders(
                header.stream_id,
                isRequest: frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST,
            )
            if endsStream { recorder.pointee.record(.endStream, header.stream_id) }
        case NGHTTP2_RST_STREAM.rawValue:
            recorder.pointee.record(
                .reset,
                header.stream_id,
                a: frame.pointee.rst_stream.error_code,
            )
        case NGHTTP2_SETTINGS.rawValue:
            if isAck {
                recorder.pointee.record(.settingsAck, 0)
            } else {
                recorder.pointee.counters.settings &+= 1
                recorder.pointee.settingsSinceWrite = true
                recorder.pointee.record(.settings, 0)
            }
        case NGHTTP2_PING.rawValue:
            if isAck {
                recorder.pointee.record(
                    .pingAck,
                    0,
                    a: UInt32(frame.pointee.ping.opaque_data.0),
                )
            } else {
                recorder.pointee.counters.pings &+= 1
            }
        case NGHTTP2_GOAWAY.rawValue:
            recorder.pointee.record(
                .goAway,
                frame.pointee.goaway.last_stream_id,
                a: frame.pointee.goaway.error_code,
            )
        case NGHTTP2_WINDOW_UPDATE.rawValue:
            recorder.pointee.counters.windowUpdates &+= 1
        default:
            break
        }
        return 0
    }

    private static let onStreamClose: nghttp2_on_stream_close_callback = {
        _,
        streamID,
        code,
        userData in
        Callbacks.recorder(userData)?.pointee.record(.close, streamID, a: code)
        return 0
    }

    private static let onError: nghttp2_error_callback2 = { _, _, text, count, userData in
        guard let recorder = Callbacks.recorder(userData), let text else { return 0 }
        let kept = UnsafeRawBufferPointer(start: text, count: min(count, 200))
        recorder.pointee.lastError = String(decoding: kept, as: UTF8.self)
        return 0
    }

    // MARK: Sending

    private static let onFrameSent: nghttp2_on_frame_send_callback = { _, frame, userData in
        guard let recorder = Callbacks.recorder(userData), let frame else { return 0 }
        let header = frame.pointee.hd
        switch UInt32(header.type) {
        case NGHTTP2_RST_STREAM.rawValue:
            recorder.pointee.counters.sentResets &+= 1
            if frame.pointee.rst_stream.error_code == HTTP2ErrorCode.flowControlError.rawValue,
                recorder.pointee.settingsSinceWrite
            {
                recorder.pointee.windowOverflow = true
            }
        case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                recorder.pointee.record(.endSent, header.stream_id)
            }
        default:
            break
        }
        return 0
    }

    private static let onFrameNotSent: nghttp2_on_frame_not_send_callback = {
        _,
        frame,
        _,
        userData in
        guard let recorder = Callbacks.recorder(userData), let frame else { return 0 }
        if UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue {
            recorder.pointee.record(.headersNotSent, frame.pointee.hd.stream_id)
        }
        return 0
    }

    /// How much of a stream's body goes into the next DATA frame.
    static let readData: nghttp2_data_source_read_callback = {
        _,
        streamID,
        _,
        maximum,
        flags,
        source,
        userData in
        guard let recorder = Callbacks.recorder(userData), let flags,
            let pointer = source?.pointee.ptr
        else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        return Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
            stream.offer(maximum, flags: &flags.pointee, recorder: recorder)
        }
    }

    /// Moves a DATA frame's header and payload to the output.
    private static let onSendData: nghttp2_send_data_callback = {
        _,
        frame,
        header,
        count,
        source,
        userData in
        guard let recorder = Callbacks.recorder(userData), let header,
            let pointer = source?.pointee.ptr
        else { return CInt(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
        return recorder.pointee.output._withUnsafeGuaranteedRef { output in
            output.append(UnsafeRawBufferPointer(start: header, count: 9))
            Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { stream in
                stream.take(count, into: output, recorder: recorder)
            }
            return output.isFull ? CInt(NGHTTP2_ERR_PAUSE.rawValue) : 0
        }
    }
}
