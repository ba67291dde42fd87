/**
 * The VIP prober in a network namespace, for vip-probe.test.ts: a line of JSON asks, a line of JSON answers. The end of
 * input ends it.
 */
import { createInterface } from 'node:readline';
import { RouteClient } from '../../src/netlink/route-client.js';
import { VipProber } from '../../src/remedy/vip-probe.js';

const routes = new RouteClient();
const prober = new VipProber(routes);

for await (const line of createInterface({ input: process.stdin })) {
	const { target, timeoutMs } = JSON.parse(line);
	process.stdout.write(`${JSON.stringify(await prober.probe(target, timeoutMs))}\n`);
}
prober.close();
routes.close();
