/**
 * Packets for Wireshark and its kin: the three blocks of the PCAP Next Generation file format that a capture with
 * comments needs (draft-ietf-opsawg-pcapng: Section Header, Interface Description, Enhanced Packet). Written here
 * because no package of npm writes the format and is kept up. It knows no event: octets, a time and a comment come in.
 */
import type { PacketHead } from '../decode/event.js';
import { BoundedFile } from './bounded-file.js';

/** Section 4 of the draft, and the options of section 3.5 and 4.3. */
const blockTypes = { sectionHeader: 0x0a0d0d0a, interfaceDescription: 1, enhancedPacket: 6 } as const;
const byteOrderMagic = 0x1a2b3c4d;
const lengthUnknown = 0xffff_ffff_ffff_ffffn;
const options = { comment: 1, interfaceName: 2, application: 4 } as const;

/** https://www.tcpdump.org/linktypes.html: a frame, and a packet that says by its version which IP it is. */
const linkTypes = [
	{ name: 'frames', linkType: 1 },
	{ name: 'packets', linkType: 101 },
] as const;

/** Longer comments are cut: a line of `trace` is far below. */
const commentLengthMax = 2048;

/** Some three million packet heads. */
const captureOctetsMax = 1024 * 1024 * 1024;

function padded(octets: Uint8Array): Buffer {
	return Buffer.concat([octets, Buffer.alloc((4 - (octets.length % 4)) % 4)]);
}

function option(code: number, text: string): Buffer {
	const value = Buffer.from(text);
	const header = Buffer.alloc(4);
	header.writeUInt16LE(code, 0);
	header.writeUInt16LE(value.length, 2);
	return Buffer.concat([header, padded(value)]);
}

const endOfOptions = Buffer.alloc(4);

/** The length stands before and behind the body, so that a file can be read from either end. */
function block(type: number, ...parts: Uint8Array[]): Buffer {
	const body = Buffer.concat(parts);
	const head = Buffer.alloc(8);
	const tail = Buffer.alloc(4);
	head.writeUInt32LE(type, 0);
	head.writeUInt32LE(body.length + 12, 4);
	tail.writeUInt32LE(body.length + 12, 0);
	return Buffer.concat([head, body, tail]);
}

function sectionHeader(application: string): Buffer {
	const body = Buffer.alloc(16);
	body.writeUInt32LE(byteOrderMagic, 0);
	body.writeUInt16LE(1, 4);
	body.writeBigUInt64LE(lengthUnknown, 8);
	return block(blockTypes.sectionHeader, body, option(options.application, application), endOfOptions);
}

/** Times are microseconds, the format's default; no limit of length is told. */
function interfaceDescription({ name, linkType }: (typeof linkTypes)[number]): Buffer {
	const body = Buffer.alloc(8);
	body.writeUInt16LE(linkType, 0);
	return block(blockTypes.interfaceDescription, body, option(options.interfaceName, name), endOfOptions);
}

/** @param epochUs Microseconds since 1970. */
export function enhancedPacket(
	epochUs: number,
	{ protocol, packetOctets, octets }: PacketHead,
	comment: string,
): Buffer {
	const body = Buffer.alloc(20);
	const time = BigInt(Math.floor(epochUs));
	body.writeUInt32LE(protocol === 0 ? 0 : 1, 0);
	body.writeUInt32LE(Number(time >> 32n), 4);
	body.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
	body.writeUInt32LE(octets.length, 12);
	body.writeUInt32LE(Math.max(packetOctets, octets.length), 16);
	const said = option(options.comment, comment.slice(0, commentLengthMax));
	return block(blockTypes.enhancedPacket, body, padded(octets), said, endOfOptions);
}

/** What a file begins with: the section, and an interface for either kind of packet head. */
export function captureHeader(application: string): Buffer {
	return Buffer.concat([sectionHeader(application), ...linkTypes.map(interfaceDescription)]);
}

export class PacketFile {
	readonly #file: BoundedFile;

	/** @throws what BoundedFile throws. */
	constructor(path: string, application: string, onError: (error: Error) => void) {
		this.#file = new BoundedFile(path, { head: captureHeader(application), octetsMax: captureOctetsMax, onError });
	}

	/** Packets that are not in the file, because it is full or the disk was too slow. */
	get dropped(): number {
		return this.#file.dropped;
	}

	write(epochUs: number, packet: PacketHead, comment: string): void {
		this.#file.write(enhancedPacket(epochUs, packet, comment));
	}

	/** Without a packet it is a capture all the same, for programs that read none in it. */
	close(): Promise<void> {
		this.#file.begin();
		return this.#file.close();
	}
}
