/**
 * The frame of every netlink message (struct nlmsghdr, RFC 3549 §2.2) and the two messages that netlink itself speaks:
 * the error or acknowledgement and the end of a dump. A datagram holds one message or more. What the messages say
 * is for the codecs beside this file. PURE.
 */
import { AttributeReader } from './attribute.js';
import { aligned, ByteReader, ByteWriter, type Extent, viewOf } from './bytes.js';

export const messageType = { noop: 1, error: 2, done: 3, overrun: 4 } as const;

/** NLM_F_*: the upper byte has a meaning of its own in each direction. */
export const messageFlag = {
	request: 0x1,
	multi: 0x2,
	ack: 0x4,
	/** NLM_F_DUMP_INTR: the table changed under the dump, which may have missed or repeated an entry. */
	dumpInterrupted: 0x10,
	/** NLM_F_ROOT | NLM_F_MATCH. */
	dump: 0x300,
	/** NLM_F_CAPPED and NLM_F_ACK_TLVS of an error: the request is not quoted whole; attributes follow. */
	capped: 0x100,
	ackAttributes: 0x200,
} as const;

const headerLength = 16;

/** One message; its extent is what follows the header. */
export interface Message extends Extent {
	readonly type: number;
	readonly flags: number;
	readonly sequence: number;
}

/** What the kernel holds against a request. `errno` is positive; 0 says that all is well. */
export interface KernelError {
	errno: number;
	/** The kernel's own words (NLMSGERR_ATTR_MSG), where it has any. */
	text: string | undefined;
}

/** Cuts a datagram into its messages. `malformed` says that the rest after the last whole one made no sense. */
export function readMessages(datagram: Uint8Array): { messages: Message[]; malformed: boolean } {
	const view = viewOf(datagram);
	const messages: Message[] = [];
	let at = 0;
	while (at < view.byteLength) {
		const message = readMessage({ view, start: at, end: view.byteLength });
		if (!message) return { messages, malformed: true };
		messages.push(message);
		at = aligned(message.end);
	}
	return { messages, malformed: false };
}

function readMessage(extent: Extent): Message | undefined {
	const { view, start } = extent;
	const reader = new ByteReader(extent);
	const length = reader.u32();
	const type = reader.u16();
	const flags = reader.u16();
	const sequence = reader.u32();
	reader.skip(4); // The port that asked: the socket has seen to it that it is ours.
	if (reader.failed || length < headerLength || length > extent.end - start) return undefined;
	return { type, flags, sequence, view, start: start + headerLength, end: start + length };
}

/** Reads NLMSG_ERROR (struct nlmsgerr and what follows it); undefined if it is cut short. */
export function readError(message: Message): KernelError | undefined {
	const reader = new ByteReader(message);
	const errno = 0 - reader.i32();
	const quotedLength = reader.u32();
	reader.skip(headerLength - 4);
	if (reader.failed) return undefined;
	if ((message.flags & messageFlag.ackAttributes) === 0) return { errno, text: undefined };
	// An acknowledgement quotes the header only, an error the whole request unless it is capped.
	const isWhole = errno !== 0 && (message.flags & messageFlag.capped) === 0;
	reader.skip(isWhole ? aligned(quotedLength) - headerLength : 0);
	return reader.failed ? undefined : { errno, text: readErrorText(reader.rest()) };
}

/** Reads NLMSG_DONE: a dump that failed half-way says so in its last message. */
export function readDone(message: Message): KernelError | undefined {
	const reader = new ByteReader(message);
	if (reader.left === 0) return { errno: 0, text: undefined };
	const errno = 0 - reader.i32();
	if (reader.failed) return undefined;
	const hasText = (message.flags & messageFlag.ackAttributes) !== 0;
	return { errno, text: hasText ? readErrorText(reader.rest()) : undefined };
}

const errorAttribute = { message: 1 };

function readErrorText(extent: Extent): string | undefined {
	const attributes = new AttributeReader(extent);
	while (attributes.next()) if (attributes.type === errorAttribute.message) return attributes.text();
	return undefined;
}

/** A whole request: what `body` holds, framed. The kernel fills in nothing, so length and sequence stand here. */
export function frameRequest(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
	const writer = new ByteWriter();
	writer.u32(headerLength + body.length).u16(type);
	writer.u16(flags | messageFlag.request);
	// The port is the kernel's to know: 0 stands for "the sender's".
	writer.u32(sequence).u32(0);
	return writer.bytes(body).finish();
}
