/**
 * Stands in for an agent in the scenarios of links: opens links as the daemon does and writes each change as a line of
 * JSON, and beside it each word of a hook and each notice of rtnetlink about a carrier with the time at which it
 * arrived here, so that the two can be compared. A first line says which hooks are attached. Ends at SIGTERM.
 *
 *   node link-watch.js [HOST...]
 */
import { pino } from 'pino';
import { monotonicNs } from '../../src/addon/index.js';
import { openLink } from '../../src/capture/link.js';
import { RouteClient } from '../../src/netlink/route-client.js';
import { openLinks } from '../../src/shell/links.js';

const say = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);
const nowUs = () => Number(monotonicNs() / 1_000n);

const log = pino({ level: 'warn' });
const routes = new RouteClient();
const links = await openLinks({
	config: { linkIntervalMs: 10_000 },
	routes,
	log,
	onChange: (change) => say({ kind: 'change', ...change }),
	onWays: () => {},
});
await links.setHosts(process.argv.slice(2));

const hooks = openLink({
	onEvents: (events) => {
		const arrivedUs = nowUs();
		for (const event of events)
			if (event.kind === 'link' && event.change === 'carrier')
				say({ kind: 'carrier', by: 'hook', arrivedUs, name: event.interfaceName, number: event.changes });
	},
	onError: (error) => say({ kind: 'error', message: error.message }),
});
const unsubscribe = routes.subscribe({
	onChange: (notice) => {
		if (notice.kind !== 'link') return;
		const { name, carrierChanges: number } = notice.link;
		say({ kind: 'carrier', by: 'notice', arrivedUs: nowUs(), name, number });
	},
	onLost: () => say({ kind: 'error', message: 'notices were lost' }),
	onError: (error) => say({ kind: 'error', message: error.message }),
});
say({ kind: 'open', parts: links.hooks?.parts });

process.once('SIGTERM', () => {
	say({ kind: 'closed', losses: links.hooks?.losses() });
	unsubscribe();
	if (hooks.available) hooks.close();
	links.close();
	routes.close();
});
