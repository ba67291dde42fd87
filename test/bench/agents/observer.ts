/**
 * The wire on one interface, on and off as it is told: `observer INTERFACE ATTACH ENDPOINT`. It listens like the
 * daemon and does nothing with what it hears.
 */
import type { AttachPolicy } from '../../../src/capture/attach.js';
import { openWire } from '../../../src/capture/wire.js';
import { parseHostPort } from '../../../src/table/identity.js';
import { answer, onMessage } from './lines.js';

const [interfaceName = '', attach = '', watched = ''] = process.argv.slice(2);
const endpoint = parseHostPort(watched);
if (!endpoint) throw new Error(`${watched} is no endpoint`);

let heard = 0;
const wire = openWire({
	interfaces: [],
	attach: attach as AttachPolicy,
	onEvents: (events) => {
		heard += events.length;
	},
	onError: (error) => {
		throw error;
	},
});
if (!wire.available) throw new Error(`${wire.reason}; ${wire.remedy}`);
wire.setEndpoints([{ protocol: 'tcp', ...endpoint }]);

function watch(interfaces: readonly string[]): void {
	if (!wire.available) return;
	const failed = wire.setInterfaces(interfaces).find(({ attached }) => !attached);
	if (failed && !failed.attached) throw new Error(failed.reason);
	answer({ kind: 'set', heard, counters: wire.counters()[0]?.counters });
}

onMessage(({ watching }) => watch(watching ? [interfaceName] : []));
answer({ kind: 'ready' });
