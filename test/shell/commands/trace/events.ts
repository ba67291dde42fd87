/** One event of every kind, for the tests of what is made of events. */
import type {
	LearnedEvent,
	LinkEvent,
	NeighbourEvent,
	OutcomeEvent,
	RefusalEvent,
	ServiceEvent,
	UnreachableEvent,
	WriteEvent,
} from '../../../../src/decode/event.js';
import { parseServiceId } from '../../../../src/table/identity.js';

const atUs = 5_000_001;
const web = parseServiceId('tcp 10.0.0.100:80') as WriteEvent['service'];
const mark = parseServiceId('fwmark 7') as WriteEvent['service'];
const caller = { pid: 4711, uid: 0, comm: 'ipvsadm', parentComm: 'bash' };

const packet = { packetOctets: 54, protocol: 0, octets: Uint8Array.from({ length: 54 }, (_, index) => index) };

export const refusal: RefusalEvent = {
	kind: 'refusal',
	atUs,
	endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	client: '192.0.2.7',
	clientPort: 40_000,
	interfaceIndex: 3,
	answersSyn: true,
	sender: 'known',
	suppressed: 0,
	packet,
};

export const reset: RefusalEvent = {
	...refusal,
	answersSyn: false,
	sender: 'unlearned',
	suppressed: 4,
	packet: undefined,
};

export const unreachable: UnreachableEvent = {
	kind: 'unreachable',
	atUs,
	endpoint: { protocol: 'udp', family: 'inet6', address: 'fd00::11', port: 53 },
	client: '2001:db8::7',
	clientPort: 5353,
	icmpType: 1,
	icmpCode: 3,
	reporter: 'fd00::1',
	quotedSequence: 0,
	tunnel: 'gue',
	sender: 'known',
	interfaceIndex: 3,
	suppressed: 0,
};

export const outcome: OutcomeEvent = {
	kind: 'outcome',
	atUs,
	outcome: 'synRepeated',
	service: mark,
	destination: { address: '10.1.0.12', port: 0 },
	client: '192.0.2.7',
	clientPort: 40_000,
	serverPort: 443,
	suppressed: 0,
	waiting: 3,
	waitingUs: 312_400,
	counters: {
		scheduled: 9,
		accepted: 5,
		asked: 5,
		answered: 5,
		refused: 0,
		synRepeated: 1,
		unanswered: 0,
		dataRepeated: 0,
		resets: 0,
		gaveUp: 0,
		withdrawn: 0,
		lastAcceptedNs: 4_000_000_000,
	},
};

export const noDestination: OutcomeEvent = {
	...outcome,
	outcome: 'noDestination',
	service: web,
	destination: undefined,
	waiting: 0,
	suppressed: 1,
};

export const learned: LearnedEvent = {
	kind: 'learned',
	atUs,
	service: mark,
	destination: { address: '10.1.0.12', port: 0 },
	endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.12', port: 443 },
};

export const write: WriteEvent = {
	kind: 'write',
	atUs,
	...caller,
	service: web,
	destination: { address: '10.1.0.11', port: 8080 },
	operation: 'edit',
	oldWeight: 1,
	newWeight: 0,
	result: 0,
	via: 'netlink',
};

export const service: ServiceEvent = {
	kind: 'service',
	atUs,
	...caller,
	operation: 'flush',
	service: undefined,
	result: -1,
	via: 'setsockopt',
};

export const link: LinkEvent = {
	kind: 'link',
	atUs,
	interfaceIndex: 3,
	interfaceName: 'bond0',
	change: 'activeSlave',
	value: 4,
	otherIndex: 0,
	changes: 0,
};

export const neighbour: NeighbourEvent = {
	kind: 'neighbour',
	atUs,
	address: '10.1.0.11',
	interfaceIndex: 3,
	state: 32,
};
