/**
 * How `trace` prints an event: a line for people (time, signal, who, to whom, why) or one for programs. Times are the
 * kernel's, as UTC, so that they compare with the journal's.
 */
import { getSystemErrorName } from 'node:util';
import type {
	Caller,
	KernelEvent,
	LinkEvent,
	OutcomeEvent,
	RefusalEvent,
	ServiceEvent,
	UnreachableEvent,
	WriteEvent,
} from '../../../decode/event.js';
import { icmpName } from '../../../evidence/icmp.js';
import { neighbourState } from '../../../netlink/route.js';
import { destinationId, endpointId, hostPort, serviceId } from '../../../table/identity.js';
import { signals, toldBy } from './signals.js';

export interface ViewOptions {
	/** Added to an event's time this gives microseconds since 1970. */
	epochOffsetUs: number;
	/** `eth1`, where it is known. */
	interfaceName: (index: number) => string | undefined;
}

/** Wide enough for the longest name of a signal. */
const signalColumns = Math.max(...Object.keys(signals).map((name) => name.length));

/** `2026-11-22T17:35:02.123456Z`. */
function timeOf(atUs: number, { epochOffsetUs }: ViewOptions): string {
	const us = Math.floor(atUs + epochOffsetUs);
	const whole = new Date(us / 1000).toISOString().slice(0, -4);
	return `${whole}${String(us % 1_000_000)
		.padStart(6, '0')
		.slice(0, 6)}Z`;
}

/** One line, without its end: `17:35:02.123456Z refusal  tcp 10.1.0.11:80 -> 10.9.0.2:40000  a SYN refused on eth1`. */
export function compactLine(event: KernelEvent, options: ViewOptions): string {
	const time = timeOf(event.atUs, options).slice('2026-11-22T'.length);
	const signal = toldBy(event).signal.padEnd(signalColumns);
	return `${time}  ${signal}  ${parties(event, options)}  ${reason(event, options)}`;
}

/** One line, without its end: every field of the event, its time of day and its names; octets as hex. */
export function jsonLine(event: KernelEvent, options: ViewOptions): string {
	const packet =
		'packet' in event && event.packet ? { packet: { ...event.packet, octets: hexOf(event.packet.octets) } } : {};
	return JSON.stringify({ at: timeOf(event.atUs, options), ...toldBy(event), ...event, ...packet });
}

function hexOf(octets: Uint8Array): string {
	return Buffer.from(octets).toString('hex');
}

/** Who, and to whom. */
function parties(event: KernelEvent, options: ViewOptions): string {
	switch (event.kind) {
		case 'refusal':
			return `${endpointId(event.endpoint)} -> ${hostPort(event.client, event.clientPort)}`;
		case 'unreachable':
			return `${event.reporter} -> ${hostPort(event.client, event.clientPort)}`;
		case 'outcome':
			return `${servedBy(event)} -> ${hostPort(event.client, event.clientPort)}`;
		case 'learned':
			return `${destinationId(event.service, event.destination)} -> ${endpointId(event.endpoint)}`;
		case 'write':
			return `${callerOf(event)} -> ${destinationId(event.service, event.destination)}`;
		case 'service':
			return `${callerOf(event)} -> ${event.service ? serviceId(event.service) : 'the table'}`;
		case 'link':
			return event.interfaceName;
		case 'neighbour':
			return `${event.address} on ${interfaceOf(event.interfaceIndex, options)}`;
	}
}

function reason(event: KernelEvent, options: ViewOptions): string {
	switch (event.kind) {
		case 'refusal':
			return refused(event, options);
		case 'unreachable':
			return unreachable(event, options);
		case 'outcome':
			return became(event);
		case 'learned':
			return signals.learned.meaning;
		case 'write':
			return written(event);
		case 'service':
			return `${event.operation}${manner(event)}`;
		case 'link':
			return linkChange(event, options);
		case 'neighbour':
			return neighbourState(event.state);
	}
}

function refused({ answersSyn, interfaceIndex, sender, suppressed }: RefusalEvent, options: ViewOptions): string {
	const what = answersSyn ? 'RST to a SYN' : 'RST, no answer to a SYN';
	return `${what}, on ${interfaceOf(interfaceIndex, options)}${fromWhom(sender)}${andMore(suppressed)}`;
}

function unreachable(event: UnreachableEvent, options: ViewOptions): string {
	const { endpoint, tunnel, interfaceIndex, sender, suppressed } = event;
	const { protocol, address } = endpoint;
	const through = tunnel === 'none' ? '' : ` through ${tunnel}`;
	const about = `about a packet to ${protocol ? endpointId({ ...endpoint, protocol }) : address}${through}`;
	return `${icmpName(event)} ${about}, on ${interfaceOf(interfaceIndex, options)}${fromWhom(sender)}${andMore(suppressed)}`;
}

function servedBy({ service, destination, serverPort }: OutcomeEvent): string {
	if (!destination) return serviceId(service);
	const id = destinationId(service, destination);
	return destination.port === 0 ? `${id} (port ${serverPort})` : id;
}

const becameWords: Record<OutcomeEvent['outcome'], string> = {
	refused: 'refused, verified',
	synRepeated: 'SYN sent again: nobody answered',
	overdue: 'answers are overdue',
	dataRepeated: 'data sent again: the host died',
	reset: 'reset after it was accepted',
	gaveUp: 'the client closed, its request unanswered',
	acceptedAgain: 'accepted again',
	plausiblyRefused: 'refused, only plausibly: by the interface of the SYN',
	noDestination: 'no destination left',
};

function became({ outcome, waiting, waitingUs, suppressed }: OutcomeEvent): string {
	const waits = waiting === 0 ? '' : `; ${waiting} waiting, the oldest for ${Math.round(waitingUs / 1000)} ms`;
	return `${becameWords[outcome]}${waits}${andMore(suppressed)}`;
}

function callerOf({ comm, pid }: Caller): string {
	return `${comm} (pid ${pid})`;
}

function written(event: WriteEvent): string {
	const { operation, oldWeight, newWeight } = event;
	const weights = {
		add: `weight ${newWeight}`,
		edit: `weight ${oldWeight} to ${newWeight}`,
		delete: `weight ${oldWeight}`,
	};
	return `${operation}, ${weights[operation]}${manner(event)}`;
}

/** How it was asked for, and whether IPVS refused. */
function manner({ via, parentComm, uid, result }: WriteEvent | ServiceEvent): string {
	const refusal = result === 0 ? '' : `; refused with ${getSystemErrorName(result)}`;
	return `, by ${via}, of ${parentComm}, uid ${uid}${refusal}`;
}

/** Documentation/networking/bonding.rst, and BOND_LINK_* of include/net/bonding.h. */
const slaveStates = ['up', 'failing', 'down', 'coming back'];

function linkChange({ change, value, otherIndex }: LinkEvent, options: ViewOptions): string {
	switch (change) {
		case 'carrier':
			return value === 0 ? 'carrier lost' : 'carrier came';
		case 'activeSlave':
			return value === 0 ? 'no active slave' : `active slave is ${interfaceOf(value, options)}`;
		case 'slave':
			return `slave of ${interfaceOf(otherIndex, options)} is ${slaveStates[value] ?? value}`;
	}
}

function interfaceOf(index: number, { interfaceName }: ViewOptions): string {
	return interfaceName(index) ?? `interface ${index}`;
}

function fromWhom(sender: RefusalEvent['sender']): string {
	return sender === 'known' ? '' : ', sender not known yet';
}

function andMore(suppressed: number): string {
	return suppressed === 0 ? '' : ` (${suppressed} more not told)`;
}
