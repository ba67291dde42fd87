/**
 * The words that name services on a command line. A service id has a blank in it (`tcp 10.0.0.100:80`), and both
 * `table tcp 10.0.0.100:80` and `table "tcp 10.0.0.100:80"` are what people type.
 */
import { parseServiceId } from '../../table/identity.js';
import type { ServiceAddress } from '../../table/model.js';
import { OperatorError } from '../errors.js';

/** Cuts the words into ids: each begins at a protocol or at `fwmark`. Throws a `usage` error for anything else. */
export function parseServices(words: readonly string[]): ServiceAddress[] {
	const ids: string[] = [];
	for (const word of words.flatMap((text) => text.trim().split(/\s+/))) {
		if (/^(tcp|udp|sctp|fwmark)$/.test(word)) ids.push(word);
		else if (ids.length > 0) ids.push(`${ids.pop()} ${word}`);
		else throw notAService(word);
	}
	return ids.map((id) => parseServiceId(id) ?? fail(id));
}

function fail(id: string): never {
	throw notAService(id);
}

function notAService(text: string): OperatorError {
	return new OperatorError(
		'usage',
		`"${text}" names no service.`,
		'Write tcp, udp or sctp and VIP:PORT (IPv6: [VIP]:PORT), or fwmark and its number, as in: tcp 10.0.0.100:80',
	);
}
