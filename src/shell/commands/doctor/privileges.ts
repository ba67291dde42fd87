/**
 * What this process may do: the effective capabilities, from /proc/self/status (capabilities(7), proc_pid_status(5)).
 */
import { type Check, degraded, missing, ok } from './check.js';

/** Bit numbers of include/uapi/linux/capability.h, each with what ipvigil wants it for. */
const wanted: { name: string; bit: number; purpose: string }[] = [
	{ name: 'CAP_NET_ADMIN', bit: 12, purpose: 'the IPVS table, attaching to interfaces' },
	{ name: 'CAP_BPF', bit: 39, purpose: 'loading programs and maps' },
	{ name: 'CAP_PERFMON', bit: 38, purpose: 'programs that read packets at a variable offset' },
	/** Not enough are BPF and PERFMON: reading a module's BTF by its id wants it too (BPF_BTF_GET_FD_BY_ID). */
	{ name: 'CAP_SYS_ADMIN', bit: 21, purpose: "the types of the kernel's modules, for the audit" },
];

/** Packet sockets (packet(7)): what the probe of the VIP goes by. */
const rawBit = 13;

export function privilegesCheck(processStatus: string, asksVips: boolean): Check {
	const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(processStatus)?.[1];
	const user = /^Uid:\s*\d+\s+(\d+)/m.exec(processStatus)?.[1] ?? 'unknown';
	if (effective === undefined) {
		return missing('privileges', 'privileges', '/proc/self/status has no CapEff line', 'Mount /proc.');
	}
	const bits = BigInt(`0x${effective}`);
	const has = (bit: number) => ((bits >> BigInt(bit)) & 1n) === 1n;
	const lacking = wanted.filter(({ bit }) => !has(bit));
	if (lacking.length === 0 && asksVips && !has(rawBit))
		return degraded(
			'privileges',
			`uid ${user} lacks CAP_NET_RAW: servers in DR and TUN cannot be asked on the VIP`,
			'Give it CAP_NET_RAW, or configure probe: { method: connect }.',
		);
	if (lacking.length === 0) return ok('privileges', `uid ${user} with every capability that is needed`);
	const list = lacking.map(({ name, purpose }) => `${name} (${purpose})`).join(', ');
	return missing(
		'privileges',
		'privileges',
		`uid ${user} lacks ${list}`,
		'Run it as root, or give it these capabilities.',
	);
}
