/** Records of every kind of event, octet by octet as the kernel writes them, each beside the value it becomes. */
import type {
	KernelEvent,
	LearnedEvent,
	LinkEvent,
	NeighbourEvent,
	OutcomeEvent,
	PacketHead,
	RefusalEvent,
	ServiceEvent,
	UnreachableEvent,
	WriteEvent,
} from '../../src/decode/event.js';

export function bytes(...hex: string[]): Uint8Array {
	return Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));
}

/** What an IPv4 address begins with. */
export const mapped = '0000 0000 0000 0000 0000 ffff';

/** 10.1.0.11:8080 refused 192.0.2.7:40000 at 5 000 001 999 ns; 258 were not told before it. */
export const refusalBytes = bytes(
	'01000000 48000000 cff7 052a 0100 0000',
	`${mapped} 0a01000b 1f90 06 00`,
	'9c40 01 14',
	`${mapped} c0000207`,
	'03000000 02010000',
	'01000000 00000000',
);
export const refusal: RefusalEvent = {
	kind: 'refusal',
	atUs: 5_000_001,
	endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	client: '192.0.2.7',
	clientPort: 40_000,
	interfaceIndex: 3,
	answersSyn: true,
	sender: 'known',
	suppressed: 258,
};

/** ipvsadm, run by bash, set [fd00::11]:80 of the firewall mark 7 from 1 to 0. */
export const writeBytes = bytes(
	'02000000 78000000 e803 0000 0000 0000',
	'0000 0000 0000 0000 0000 0000 0000 0000 0000 00 00',
	'fd00 0000 0000 0000 0000 0000 0000 0011 0050 00 00',
	'07000000',
	'02000000 01000000 00000000 00000000 01000000',
	'67120000 e8030000',
	'697076736164 6d00 0000 0000 0000 0000',
	'62617368 1b00 0000 0000 0000 0000 0000',
);
export const write: WriteEvent = {
	kind: 'write',
	atUs: 1,
	service: { kind: 'fwmark', family: 'inet6', fwmark: 7 },
	destination: { address: 'fd00::11', port: 80 },
	operation: 'edit',
	oldWeight: 1,
	newWeight: 0,
	result: 0,
	via: 'netlink',
	pid: 4711,
	uid: 1000,
	comm: 'ipvsadm',
	parentComm: 'bash?',
};

/** A router, fd00::1, says that [fd00::11]:53, to which the director sent a UDP packet by GUE, is unreachable. */
export const unreachableBytes = bytes(
	'03000000 60000000 e803 0000 0000 0000',
	'fd00 0000 0000 0000 0000 0000 0000 0011 0035 11 00',
	'14e9 01 03',
	'2001 0db8 0000 0000 0000 0000 0000 0007',
	'fd00 0000 0000 0000 0000 0000 0000 0001',
	'ddccbbaa 02000000 01000000 04000000',
	'02000000 00000000',
);
export const unreachable: UnreachableEvent = {
	kind: 'unreachable',
	atUs: 1,
	endpoint: { protocol: 'udp', family: 'inet6', address: 'fd00::11', port: 53 },
	client: '2001:db8::7',
	clientPort: 5353,
	icmpType: 1,
	icmpCode: 3,
	reporter: 'fd00::1',
	quotedSequence: 0xaabbccdd,
	tunnel: 'gue',
	sender: 'known',
	interfaceIndex: 4,
	suppressed: 2,
};

const webService = `${mapped} 0a000064 0050 06 00`;
const webServer = `${mapped} 0a01000b 1f90 06 00`;

/** 192.0.2.7:40000 sent its SYN for 10.0.0.100:80 again, which 10.1.0.11:8080 was to answer. */
export const outcomeBytes = bytes(
	'04000000 c0000000 e803 0000 0000 0000',
	`${webService} ${webServer} 00000000`,
	'02000000',
	`${mapped} c0000207`,
	'9c40 1f90 05000000',
	'03000000 40420f00',
	'0100000000000000 0200000000000000 0300000000000000 0400000000000000',
	'0500000000000000 0600000000000000 0700000000000000 0800000000000000',
	'0900000000000000 0a00000000000000 0b00000000000000 0000000001000000',
);
export const outcome: OutcomeEvent = {
	kind: 'outcome',
	atUs: 1,
	outcome: 'synRepeated',
	service: { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
	destination: { address: '10.1.0.11', port: 8080 },
	client: '192.0.2.7',
	clientPort: 40_000,
	serverPort: 8080,
	suppressed: 5,
	waiting: 3,
	waitingUs: 1_000_000,
	counters: {
		scheduled: 1,
		accepted: 2,
		asked: 3,
		answered: 4,
		refused: 5,
		synRepeated: 6,
		unanswered: 7,
		dataRepeated: 8,
		resets: 9,
		gaveUp: 10,
		withdrawn: 11,
		lastAcceptedNs: 2 ** 32,
	},
};

/** A connection for the firewall mark 7 was accepted by 10.1.0.11, on port 443. */
export const learnedBytes = bytes(
	'05000000 50000000 e803 0000 0000 0000',
	`${mapped} 00000000 0000 00 00 ${mapped} 0a01000b 0000 06 00 07000000`,
	`${mapped} 0a01000b 01bb 06 00`,
);
export const learned: LearnedEvent = {
	kind: 'learned',
	atUs: 1,
	service: { kind: 'fwmark', family: 'inet', fwmark: 7 },
	destination: { address: '10.1.0.11', port: 0 },
	endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 443 },
};

/** ipvsadm, run by bash, was not permitted to add the service 10.0.0.100:80. */
export const serviceBytes = bytes(
	'06000000 60000000 e803 0000 0000 0000',
	`${webService} 00000000`,
	'01000000 ffffffff 02000000 00000000',
	'67120000 e8030000',
	'697076736164 6d00 0000 0000 0000 0000',
	'62617368 0000 0000 0000 0000 0000 0000',
);
export const service: ServiceEvent = {
	kind: 'service',
	atUs: 1,
	operation: 'add',
	service: { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
	result: -1,
	via: 'setsockopt',
	pid: 4711,
	uid: 1000,
	comm: 'ipvsadm',
	parentComm: 'bash',
};

/** The carrier of eth1 came; it has changed nine times now. */
export const linkBytes = bytes(
	'07000000 38000000 e803 0000 0000 0000',
	'03000000 01000000 01000000 00000000',
	'09000000 00000000',
	'65746831 0000 0000 0000 0000 0000 0000',
);
export const link: LinkEvent = {
	kind: 'link',
	atUs: 1,
	interfaceIndex: 3,
	interfaceName: 'eth1',
	change: 'carrier',
	value: 1,
	otherIndex: 0,
	changes: 9,
};

/** 10.1.0.11 on interface 3 answers no ARP any more. */
export const neighbourBytes = bytes('08000000 28000000 e803 0000 0000 0000', `${mapped} 0a01000b 03000000 20000000`);
export const neighbour: NeighbourEvent = {
	kind: 'neighbour',
	atUs: 1,
	address: '10.1.0.11',
	interfaceIndex: 3,
	state: 32,
};

/** The first three octets of an IPv4 packet of 1,500. */
export const packetHeadBytes = bytes('dc050000 0300 0800', '450005', '00'.repeat(125));
export const packetHead: PacketHead = { packetOctets: 1500, protocol: 0x0800, octets: Uint8Array.of(0x45, 0, 5) };

/** Every kind once: its octets and its value. */
export const samples: [record: Uint8Array, event: KernelEvent][] = [
	[refusalBytes, refusal],
	[writeBytes, write],
	[unreachableBytes, unreachable],
	[outcomeBytes, outcome],
	[learnedBytes, learned],
	[serviceBytes, service],
	[linkBytes, link],
	[neighbourBytes, neighbour],
];
