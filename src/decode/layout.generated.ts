// Generated from bpf/events.h by deploy/build/layout.mjs (npm run layout). Do not edit.
import { be16, inside, octets, s32, text, u32, u64, u8 } from './field.js';

export const EVENTS_VERSION = 1;

export const NO_WEIGHT = -1;

export const eventKind = {
	refusal: 1,
	write: 2,
} as const;

export const operation = {
	add: 1,
	edit: 2,
	delete: 3,
} as const;

export const loss = {
	ringFull: 0,
	truncated: 1,
	fragment: 2,
	headerChain: 3,
	writersFull: 4,
	count: 5,
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

export const eventGate = {
	layout: { name: 'event_gate', size: 16 },
	fullAtNs: u64(0),
	suppressed: u64(8),
} as const;

export const endpointState = {
	layout: { name: 'endpoint_state', size: 40 },
	slot: u32(0),
	refusals: inside(8, eventGate),
	resets: inside(24, eventGate),
} as const;

export const endpointCounters = {
	layout: { name: 'endpoint_counters', size: 64 },
	refusals: u64(0),
	resets: u64(8),
	acceptances: u64(16),
	ownRefusals: u64(24),
	ownAcceptances: u64(32),
	eventsSent: u64(40),
	eventsSuppressed: u64(48),
	eventsLost: u64(56),
} as const;

export const refusalEvent = {
	layout: { name: 'refusal_event', size: 64 },
	header: inside(0, eventHeader),
	endpoint: inside(16, endpointKey),
	clientPort: be16(36),
	answersSyn: u8(38),
	tcpFlags: u8(39),
	client: octets(40, 16),
	interfaceIndex: u32(56),
	suppressed: u32(60),
} as const;

export const writerKey = {
	layout: { name: 'writer_key', size: 44 },
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
	layout: { name: 'write_event', size: 112 },
	header: inside(0, eventHeader),
	key: inside(16, writerKey),
	operation: u32(60),
	oldWeight: s32(64),
	newWeight: s32(68),
	pid: u32(72),
	comm: text(76, 16),
	parentComm: text(92, 16),
} as const;
