/**
 * The VIP prober in a network namespace, for vip-probe.test.ts: a line of JSON asks, a line of JSON answers. The end of
 * input ends it.
 */
import { createInterface } from 'node:readline';
import { RouteClient } from '../../src/netlink/route-client.js';
import { PlaceTurns } from '../../src/remedy/place-turns.js';
import { VipProber } from '../../src/remedy/vip-probe.js';

const routes = new RouteClient();
// The tests ask one server as fast as it answers.
const prober = new VipProber(routes, { turns: new PlaceTurns({ turnMs: 0 }) });

for await (const line of createInterface({ input: process.stdin })) {
	const { target, exchange, timeoutMs } = JSON.parse(line);
	process.stdout.write(`${JSON.stringify(await prober.probe(target, exchange, timeoutMs))}\n`);
}
prober.close();
routes.close();
