/**
 * The limit that decisions are held against: the same ring reader wakes this process for a refusal, and it sends the
 * same probe at once, with nothing to weigh, enter or write. `limit INTERFACE ATTACH SERVER-ADDRESS PORT OWN-ADDRESS`
 */
import { openWire } from '../../../src/capture/wire.js';
import { defaultAsking } from '../../../src/judge/asking.js';
import { Prober } from '../../../src/remedy/probe.js';
import type { Endpoint } from '../../../src/table/model.js';
import { monotonicUs } from '../processes.js';
import { answer } from './lines.js';

const [interfaceName = '', attach, address = '', port, own = ''] = process.argv.slice(2);
const endpoint: Endpoint = { protocol: 'tcp', family: 'inet', address, port: Number(port) };
const prober = new Prober();

const wire = openWire({
	interfaces: [interfaceName],
	attach: attach === 'xdp' ? 'xdp' : 'tc',
	eventIntervalMs: 1,
	onEvents: ([event]) => {
		const heardUs = monotonicUs();
		if (event?.kind !== 'refusal') return;
		void prober.probe(endpoint, defaultAsking, 1_000).then(({ outcome }) => {
			const doneUs = monotonicUs();
			answer({ kind: 'limit', outcome, heardUs: heardUs - event.atUs, wholeUs: doneUs - event.atUs });
		});
	},
	onError: (error) => {
		throw error;
	},
});
if (!wire.available) throw new Error(wire.reason);
const capture = wire;
capture.setEndpoints([endpoint]);
capture.setLocalAddresses([own]);
/** Also what keeps the capture from being collected while nobody speaks to it. */
process.once('SIGTERM', () => {
	capture.close();
	process.exit(0);
});
answer({ kind: 'ready', interfaces: capture.interfaces });
