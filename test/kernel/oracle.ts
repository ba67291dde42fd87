/**
 * An independent decoder of packets: tshark, Wireshark's dissectors without its window, which share nothing with ours.
 * All frames go through one run, each for itself: nothing is put together over several of them. What its dissection
 * means for the wire is for opinion.ts to say.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A frame takes about 200 octets of tshark's words and 70 us: this is for a million of them. */
const outputOctetsMax = 256 << 20;
const timeLimitMs = 120_000;

/** What is dissected. All else is disabled, so that nobody reads something into a payload by its port or its looks. */
const protocols = [
	...['eth', 'ethertype', 'vlan', 'ieee8021ad', 'ip', 'ipv6', 'ah'],
	...['ipv6.hopopts', 'ipv6.dstopts', 'ipv6.routing', 'ipv6.fraghdr'],
	...['tcp', 'udp', 'sctp', 'icmp', 'icmpv6', 'gre', 'gue'],
];

/** Every packet for itself and as the wire has it: no reassembly, no conversation, no guess at offloads. */
const preferences = [
	...['ip.defragment:FALSE', 'ipv6.defragment:FALSE', 'ip.tso_support:FALSE', 'vlan.qinq_ethertype:0x8100'],
	...['tcp.desegment_tcp_streams:FALSE', 'tcp.analyze_sequence_numbers:FALSE', 'tcp.relative_sequence_numbers:FALSE'],
	...['tcp.calculate_timestamps:FALSE', 'ip.use_geoip:FALSE', 'ipv6.use_geoip:FALSE'],
];

const fieldNames = [
	...(['frame.number', 'frame.protocols', '_ws.malformed'] as const),
	...(['vlan.id', 'ieee8021ad.id', 'ieee8021ad.svid', 'ieee8021ad.cvid'] as const),
	...(['ip.version', 'ip.hdr_len', 'ip.proto', 'ip.src', 'ip.dst', 'ip.flags.mf', 'ip.frag_offset'] as const),
	...(['ipv6.version', 'ipv6.nxt', 'ipv6.src', 'ipv6.dst', 'ipv6.fraghdr.offset', 'ipv6.fraghdr.more'] as const),
	...(['ipv6.hopopts.nxt', 'ipv6.dstopts.nxt', 'ipv6.routing.nxt', 'ipv6.fraghdr.nxt', 'ah.next_header'] as const),
	...(['ipv6.hopopts.len_oct', 'ipv6.dstopts.len_oct', 'ipv6.routing.len_oct', 'ah.length'] as const),
	...(['frame.len', 'ip.len', 'ipv6.plen', 'udp.length', 'tcp.short_segment'] as const),
	...(['tcp.srcport', 'tcp.dstport', 'tcp.seq', 'tcp.flags', 'udp.srcport', 'udp.dstport'] as const),
	...(['sctp.srcport', 'sctp.dstport', 'icmp.type', 'icmp.code', 'icmpv6.type', 'icmpv6.code'] as const),
	...(['icmp.length', 'icmpv6.length'] as const),
	...(['gre.proto', 'gre.flags.version', 'gre.flags.routing'] as const),
] as const;
export type FieldName = (typeof fieldNames)[number];

/** What tshark says of one frame. */
export interface Dissection {
	/** Its layers from the outermost on, for example eth, ethertype, ip, tcp. */
	layers: string[];
	/** Each field as often as a layer of the frame has it, outermost first. */
	fields: Record<FieldName, string[]>;
}

export const gueScript = new URL('../../../test/kernel/oracle-gue.lua', import.meta.url).pathname;

/** pcap-savefile(5), in this machine's order: magic, version 2.4, no time zone, 256 KiB at most, Ethernet. */
export function captureFile(frames: readonly Uint8Array[]): Uint8Array {
	const record = (frame: Uint8Array) => [octetsOf(0, 0, frame.length, frame.length), frame];
	return Buffer.concat([octetsOf(0xa1b2c3d4, 0x0004_0002, 0, 0, 262_144, 1), ...frames.flatMap(record)]);
}

function octetsOf(...words: number[]): Uint8Array {
	return new Uint8Array(Uint32Array.from(words).buffer);
}

function words(path: string): string[] {
	return [
		...[
			'-n',
			'-X',
			`lua_script:${gueScript}`,
			'-r',
			path,
			'-T',
			'fields',
			'-E',
			'occurrence=a',
			'-E',
			'aggregator=,',
			'-E',
			'separator=/t',
		],
		...preferences.flatMap((preference) => ['-o', preference]),
		...fieldNames.flatMap((name) => ['-e', name]),
	];
}

function readLine(line: string): Dissection {
	const values = line.split('\t').map((text) => (text === '' ? [] : text.split(',')));
	const fields = Object.fromEntries(fieldNames.map((name, index) => [name, values[index] ?? []]));
	const dissection = { layers: [] as string[], fields: fields as Dissection['fields'] };
	dissection.layers = dissection.fields['frame.protocols'].flatMap((list) => list.split(':'));
	return dissection;
}

/** A configuration of our own in place of the user's; the names are the third column of tshark's list. */
async function configure(directory: string): Promise<void> {
	const { stdout } = await run('tshark', ['-G', 'protocols'], { env: environment(directory) });
	const names = stdout.split('\n').map((line) => line.split('\t')[2] ?? '');
	const disabled = names.filter((name) => name !== '' && !protocols.includes(name));
	writeFileSync(join(directory, 'disabled_protos'), disabled.join('\n'));
}

function environment(directory: string): NodeJS.ProcessEnv {
	return { ...process.env, WIRESHARK_CONFIG_DIR: directory };
}

async function dissectIn(directory: string, frames: readonly Uint8Array[]): Promise<Dissection[]> {
	await configure(directory);
	const path = join(directory, 'frames.pcap');
	writeFileSync(path, captureFile(frames));
	const limits = { maxBuffer: outputOctetsMax, timeout: timeLimitMs };
	const { stdout } = await run('tshark', words(path), { ...limits, env: environment(directory) });
	return stdout.trimEnd().split('\n').map(readLine);
}

/** One dissection for each frame, in their order. */
export async function dissect(frames: readonly Uint8Array[]): Promise<Dissection[]> {
	const directory = mkdtempSync(join(tmpdir(), 'ipvigil-oracle-'));
	try {
		const dissections = await dissectIn(directory, frames);
		const inOrder = dissections.every(({ fields }, index) => fields['frame.number'][0] === String(index + 1));
		if (dissections.length !== frames.length || !inOrder)
			throw new Error(`tshark dissected ${dissections.length} frames of ${frames.length}, or out of their order`);
		return dissections;
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}
