// Generated from bpf/events.h by deploy/build/layout.mjs (npm run layout). Do not edit.
import { be16, inside, list, octets, s32, text, u16, u32, u64, u8 } from './field.js';

export const EVENTS_VERSION = 2;

export const NO_WEIGHT = -1;

export const eventKind = {
	refusal: 1,
	write: 2,
	unreachable: 3,
	outcome: 4,
	learned: 5,
	service: 6,
	link: 7,
	neighbour: 8,
} as const;

export const operation = {
	add: 1,
	edit: 2,
	delete: 3,
	flush: 4,
} as const;

export const via = {
	unknown: 0,
	netlink: 1,
	setsockopt: 2,
} as const;

export const tunnel = {
	none: 0,
	ipip: 1,
	gue: 2,
	gre: 3,
} as const;

export const sender = {
	unlearned: 0,
	known: 1,
} as const;

export const outcome = {
	refused: 1,
	synRepeated: 2,
	overdue: 3,
	dataRepeated: 4,
	reset: 5,
	gaveUp: 6,
	acceptedAgain: 7,
	plausiblyRefused: 8,
	noDestination: 9,
} as const;

export const linkChange = {
	carrier: 1,
	activeSlave: 2,
	slave: 3,
} as const;

export const loss = {
	ringFull: 0,
	truncated: 1,
	fragment: 2,
	headerChain: 3,
	writersFull: 4,
	malformed: 5,
	unreadable: 6,
	noSyn: 7,
	unlisted: 8,
	stranger: 9,
	badQuote: 10,
	count: 11,
} as const;

export const eventHeader = {
	layout: { name: 'event_header', size: 16 },
	kind: u32(0),
	size: u32(4),
	timeNs: u64(8),
} as const;

export const endpointKey = {
	layout: { name: 'endpoint_key', size: 20 },
	address: octets(0, 16),
	port: be16(16),
	protocol: u8(18),
} as const;

export const addressKey = {
	layout: { name: 'address_key', size: 16 },
	address: octets(0, 16),
} as const;

export const caller = {
	layout: { name: 'caller', size: 40 },
	pid: u32(0),
	uid: u32(4),
	comm: text(8, 16),
	parentComm: text(24, 16),
} as const;

export const eventGate = {
	layout: { name: 'event_gate', size: 16 },
	fullAtNs: u64(0),
	suppressed: u64(8),
} as const;

export const endpointState = {
	layout: { name: 'endpoint_state', size: 72 },
	slot: u32(0),
	hostSlot: u32(4),
	refusals: inside(8, eventGate),
	resets: inside(24, eventGate),
	unreachables: inside(40, eventGate),
	rejections: inside(56, eventGate),
} as const;

export const hostState = {
	layout: { name: 'host_state', size: 72 },
	slot: u32(0),
	unreachableGate: inside(8, eventGate),
	rejectionGate: inside(24, eventGate),
	unreachables: u64(40),
	rejections: u64(48),
	ownUnreachables: u64(56),
	strangers: u64(64),
} as const;

export const hostSenders = {
	layout: { name: 'host_senders', size: 64 },
	macs: octets(0, 64),
} as const;

export const endpointCounters = {
	layout: { name: 'endpoint_counters', size: 96 },
	refusals: u64(0),
	resets: u64(8),
	acceptances: u64(16),
	ownRefusals: u64(24),
	ownAcceptances: u64(32),
	eventsSent: u64(40),
	eventsSuppressed: u64(48),
	eventsLost: u64(56),
	unreachables: u64(64),
	rejections: u64(72),
	ownUnreachables: u64(80),
	strangers: u64(88),
} as const;

export const refusalEvent = {
	layout: { name: 'refusal_event', size: 72 },
	header: inside(0, eventHeader),
	endpoint: inside(16, endpointKey),
	clientPort: be16(36),
	answersSyn: u8(38),
	tcpFlags: u8(39),
	client: octets(40, 16),
	interfaceIndex: u32(56),
	suppressed: u32(60),
	sender: u32(64),
} as const;

export const unreachableEvent = {
	layout: { name: 'unreachable_event', size: 96 },
	header: inside(0, eventHeader),
	endpoint: inside(16, endpointKey),
	clientPort: be16(36),
	icmpType: u8(38),
	icmpCode: u8(39),
	client: octets(40, 16),
	reporter: octets(56, 16),
	quotedSequence: u32(72),
	tunnel: u32(76),
	sender: u32(80),
	interfaceIndex: u32(84),
	suppressed: u32(88),
} as const;

export const packetHead = {
	layout: { name: 'packet_head', size: 136 },
	packetOctets: u32(0),
	capturedOctets: u16(4),
	protocol: be16(6),
	octets: octets(8, 128),
} as const;

export const destinationKey = {
	layout: { name: 'destination_key', size: 44 },
	service: inside(0, endpointKey),
	destination: inside(20, endpointKey),
	fwmark: u32(40),
} as const;

export const writerValue = {
	layout: { name: 'writer_value', size: 48 },
	writes: u64(0),
	timeNs: u64(8),
	pid: u32(16),
	weight: s32(20),
	operation: u32(24),
	comm: text(32, 16),
} as const;

export const writeEvent = {
	layout: { name: 'write_event', size: 120 },
	header: inside(0, eventHeader),
	key: inside(16, destinationKey),
	operation: u32(60),
	oldWeight: s32(64),
	newWeight: s32(68),
	result: s32(72),
	via: u32(76),
	caller: inside(80, caller),
} as const;

export const serviceEvent = {
	layout: { name: 'service_event', size: 96 },
	header: inside(0, eventHeader),
	service: inside(16, endpointKey),
	fwmark: u32(36),
	operation: u32(40),
	result: s32(44),
	via: u32(48),
	caller: inside(56, caller),
} as const;

export const OUTCOME_EPOCH_SHIFT = 29;

export const OUTCOME_SETTLED_EPOCHS = 4;

export const waitingCell = {
	layout: { name: 'waiting_cell', size: 16 },
	count: u32(0),
	epoch: u32(4),
	firstNs: u64(8),
} as const;

export const outcomeCounters = {
	layout: { name: 'outcome_counters', size: 96 },
	scheduled: u64(0),
	accepted: u64(8),
	asked: u64(16),
	answered: u64(24),
	refused: u64(32),
	synRepeated: u64(40),
	unanswered: u64(48),
	dataRepeated: u64(56),
	resets: u64(64),
	gaveUp: u64(72),
	withdrawn: u64(80),
	lastAcceptedNs: u64(88),
} as const;

export const outcomeState = {
	layout: { name: 'outcome_state', size: 672 },
	key: inside(0, destinationKey),
	unansweredSince: u32(44),
	unansweredFirstNs: u64(48),
	counters: inside(56, outcomeCounters),
	waiting: list(152, 8, 16, waitingCell),
	handshakeUs: u32(280),
	handshakeDeviationUs: u32(284),
	handshakes: list(288, 24, 8, u64(0)),
	firstAnswers: list(480, 24, 8, u64(0)),
} as const;

export const serviceOutcomes = {
	layout: { name: 'service_outcomes', size: 24 },
	noDestination: u64(0),
	gate: inside(8, eventGate),
} as const;

export const outcomeEvent = {
	layout: { name: 'outcome_event', size: 192 },
	header: inside(0, eventHeader),
	key: inside(16, destinationKey),
	outcome: u32(60),
	client: octets(64, 16),
	clientPort: be16(80),
	serverPort: be16(82),
	suppressed: u32(84),
	waiting: u32(88),
	waitingUs: u32(92),
	counters: inside(96, outcomeCounters),
} as const;

export const learnedEvent = {
	layout: { name: 'learned_event', size: 80 },
	header: inside(0, eventHeader),
	key: inside(16, destinationKey),
	endpoint: inside(60, endpointKey),
} as const;

export const linkEvent = {
	layout: { name: 'link_event', size: 56 },
	header: inside(0, eventHeader),
	interfaceIndex: u32(16),
	change: u32(20),
	value: u32(24),
	otherIndex: u32(28),
	changes: u32(32),
	name: text(40, 16),
} as const;

export const neighbourEvent = {
	layout: { name: 'neighbour_event', size: 40 },
	header: inside(0, eventHeader),
	address: octets(16, 16),
	interfaceIndex: u32(32),
	state: u32(36),
} as const;
