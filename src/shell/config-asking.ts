/**
 * The section `probe` of one service in the configuration: how its servers are asked (judge/asking.ts). What contradicts
 * itself is refused here; whether an address is ours or a program is there shows when it is used, and is told then.
 */
import * as z from 'zod';
import type { Asking, ProbeMethod } from '../judge/asking.js';
import { exchangeOctetsMax } from '../remedy/exchange.js';
import { canonicalAddress, familyOf } from '../table/address.js';
import { command, commandForm, oneOf, section } from './config-schema.js';

const methods = ['auto', 'connect', 'udp', 'command'] as const satisfies ProbeMethod[];

const addressForm = 'an IPv4 or IPv6 address';

const address = z.string({ error: addressForm }).transform((text, context) => {
	const canonical = canonicalAddress(text);
	if (canonical !== undefined) return canonical;
	context.addIssue({ code: 'custom', message: addressForm, input: text });
	return z.NEVER;
});

const octetsForm = `a text of 1 to ${exchangeOctetsMax} octets, characters up to "\\xff"`;

/** A YAML text in double quotes writes any octet: "\\r\\n", "\\x00". */
const octets = z
	.string({ error: octetsForm })
	.refine((text) => text.length >= 1 && text.length <= exchangeOctetsMax && isLatin1(text), { error: octetsForm });

function isLatin1(text: string): boolean {
	return [...text].every((character) => character <= '\xff');
}

/** 0 is no port, and the mark that every packet has anyway. */
function numberTo(what: string, maximum: number) {
	const error = `${what} from 1 to ${maximum}`;
	return z.int({ error }).min(1, { error }).max(maximum, { error });
}

const keys = 'method, address, port, sourceAddress, mark, request, expect and command';

/**
 * `auto` with an address, a port, a sourceAddress or a mark connects, in DR and TUN too: a raw frame asks the server
 * itself, and has no mark. Its output is an `Asking`.
 */
export const asking = section(
	{
		method: oneOf(methods).default('auto'),
		address: address.optional(),
		port: numberTo('a port', 65_535).optional(),
		sourceAddress: address.optional(),
		mark: numberTo('a firewall mark', 0xffff_ffff).optional(),
		request: octets.optional(),
		expect: octets.optional(),
		command: command.optional(),
	},
	keys,
).superRefine((value, context) => {
	for (const { key, allowed } of contradictions(value))
		context.addIssue({ code: 'custom', path: [key], message: allowed, input: value[key] });
});

interface Contradiction {
	key: keyof Asking;
	allowed: string;
}

const questionKeys = ['address', 'port', 'sourceAddress', 'mark', 'request', 'expect'] as const;

function contradictions(value: Asking): Contradiction[] {
	const found: Contradiction[] = [];
	if (value.method === 'command') {
		if (!value.command) found.push({ key: 'command', allowed: `${commandForm}, because method is command` });
		for (const key of questionKeys)
			if (value[key] !== undefined) found.push({ key, allowed: 'nothing, because a command asks in its own way' });
	} else if (value.command) {
		found.push({ key: 'command', allowed: `nothing, because method is ${value.method}` });
	}
	const { address: whom, sourceAddress } = value;
	if (whom !== undefined && sourceAddress !== undefined && familyOf(whom) !== familyOf(sourceAddress))
		found.push({ key: 'sourceAddress', allowed: `an address of the family of ${whom}, which is asked` });
	return found;
}
