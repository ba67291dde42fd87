import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { createMetrics } from '../../src/report/metrics.js';
import type { DestinationView, LossPlace, MetricsView, ServiceView } from '../../src/report/view.js';
import type { ServiceAddress } from '../../src/table/model.js';
import { web } from '../remedy/example.js';

const build = { version: '0.1.0', commit: 'abc1234' };

const shown: DestinationView = {
	service: web,
	destination: { address: '10.1.0.11', port: 8080, weight: 0 },
	weightOwed: 3,
	verdict: 'failed',
	attempts: { scheduled: 1_020, accepted: 1_000, refused: 17 },
	attemptsBy: 'outcome',
	unreachable: new Map([
		['host', [1]],
		['tcp 10.1.0.11:8080', [1]],
	]),
};

/** Three handshakes: below 64 us, below 2^13 us, and beyond the last bucket. */
const handshakes = Array.from({ length: 24 }, (_, index) => Number([0, 12, 23].includes(index)));

const service: ServiceView = {
	service: web,
	noDestination: 9,
	handshake: new Map([['one', handshakes]]),
	firstAnswer: new Map([['one', Array<number>(24).fill(0)]]),
};

const losses: Record<LossPlace, number> = {
	ring: 1,
	malformed: 2,
	journal: 3,
	log: 15,
	hook: 4,
	packet_truncated: 5,
	packet_fragment: 6,
	packet_header_chain: 7,
	packet_malformed: 8,
	packet_stranger: 9,
	packet_bad_quote: 10,
	packet_unreadable: 11,
	attempt_no_syn: 12,
	attempt_unlisted: 13,
	writers_full: 14,
	journal_write: 15,
};

const view: MetricsView = {
	mode: 'assist',
	dryRun: false,
	destinations: [shown],
	services: [service],
	watching: [
		{ vantage: 'wire', device: 'eth1', attached: true },
		{ vantage: 'outcome', hook: 'watch_tcp', attached: false },
	],
	links: [{ name: 'bond0', up: true }],
	impairedHosts: 2,
	leases: 1,
	holds: 2,
	ejections: { detected: 4, enforced: 3, overflow: { floor: 1 } },
	probes: [{ outcome: 'refused', purpose: 'confirm', count: 5 }],
	losses,
	notifications: [{ target: 'keepalived', result: 'delivered', count: 6 }],
};

const labels =
	'local_address="10.0.0.100",local_port="8080",remote_address="10.1.0.11",remote_port="8080",proto="TCP",local_mark=""';

const serviceLabels = 'local_address="10.0.0.100",local_port="8080",proto="TCP",local_mark=""';

/** Buckets end at 64 us, 128 us and so on up to 8.4 s, then "+Inf"; the sum is made of the buckets' middles. */
function handshakeSamples(): string[] {
	const name = 'ipvigil_handshake_seconds';
	const buckets = Array.from({ length: 18 }, (_, index) => {
		const le = 2 ** (index + 6) / 1e6;
		return `${name}_bucket{le="${le}",${serviceLabels}} ${le < 0.008192 ? 1 : 2}`;
	});
	const sum = (1.5 + 1.5 * 2 ** 12 + 1.5 * 2 ** 23) / 1e6;
	const ends = [`_bucket{le="+Inf",${serviceLabels}} 3`, `_sum{${serviceLabels}} ${sum}`, `_count{${serviceLabels}} 3`];
	return [...buckets, ...ends.map((end) => name + end)];
}

/** The samples of a text, without comments. */
function samples(text: string): string[] {
	return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const scrape = async (one: MetricsView) => samples(await createMetrics(build, () => one).text());

describe('the metrics', () => {
	test('show the whole view, each series once', async () => {
		assert.deepEqual(
			(await scrape(view)).sort(),
			[
				'ipvigil_build_info{version="0.1.0",commit="abc1234"} 1',
				'ipvigil_mode{mode="observe"} 0',
				'ipvigil_mode{mode="notify"} 0',
				'ipvigil_mode{mode="assist"} 1',
				'ipvigil_dry_run 0',
				`ipvigil_attempts_total{outcome="scheduled",${labels}} 1020`,
				`ipvigil_attempts_total{outcome="accepted",${labels}} 1000`,
				`ipvigil_attempts_total{outcome="refused",${labels}} 17`,
				`ipvigil_unreachable_total{${labels}} 2`,
				`ipvigil_no_destination_total{${serviceLabels}} 9`,
				...handshakeSamples(),
				'ipvigil_watching{vantage="wire",device="eth1"} 1',
				'ipvigil_watching{vantage="outcome",hook="watch_tcp"} 0',
				'ipvigil_link_up{device="bond0"} 1',
				'ipvigil_impaired_hosts 2',
				`ipvigil_destination_weight{${labels}} 0`,
				`ipvigil_destination_weight_owed{${labels}} 3`,
				`ipvigil_destination_verdict{verdict="healthy",${labels}} 0`,
				`ipvigil_destination_verdict{verdict="suspect",${labels}} 0`,
				`ipvigil_destination_verdict{verdict="failed",${labels}} 1`,
				`ipvigil_destination_verdict{verdict="recovering",${labels}} 0`,
				'ipvigil_leases 1',
				'ipvigil_holds 2',
				'ipvigil_ejections_detected_total 4',
				'ipvigil_ejections_enforced_total 3',
				'ipvigil_ejections_overflow_total{reason="floor"} 1',
				'ipvigil_probes_total{outcome="refused",purpose="confirm"} 5',
				...Object.entries(losses).map(([place, count]) => `ipvigil_lost_total{place="${place}"} ${count}`),
				'ipvigil_notifications_total{target="keepalived",result="delivered"} 6',
			].sort(),
		);
	});

	test('please promtool, with destinations and without', async () => {
		for (const one of [view, { ...view, destinations: [], services: [], links: [] }]) {
			const input = await createMetrics(build, () => one).text();
			const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
			assert.deepEqual([status, stdout, stderr], [0, '', '']);
		}
	});

	test('spell a firewall mark and IPv6 as node_exporter does', async () => {
		const services: [ServiceAddress, string][] = [
			[
				{ kind: 'fwmark', family: 'inet', fwmark: 0x1a },
				'local_address="",local_port="0",remote_address="fd00::11",remote_port="0",proto="FWM",local_mark="0000001A"',
			],
			[
				{ kind: 'address', protocol: 'udp', family: 'inet6', address: 'fd00::1', port: 53 },
				'local_address="fd00::1",local_port="53",remote_address="fd00::11",remote_port="0",proto="UDP",local_mark=""',
			],
		];
		for (const [service, expected] of services) {
			const one = { ...shown, service, destination: { address: 'fd00::11', port: 0, weight: 2 } };
			const lines = await scrape({ ...view, destinations: [one] });
			assert.ok(lines.includes(`ipvigil_destination_weight{${expected}} 2`), lines.join('\n'));
		}
	});

	test('show no weight owed where none is', async () => {
		const lines = await scrape({ ...view, destinations: [{ ...shown, weightOwed: undefined }] });
		assert.ok(!lines.some((line) => line.startsWith('ipvigil_destination_weight_owed')));
		const nothingOwed = await scrape({ ...view, destinations: [{ ...shown, weightOwed: 0 }] });
		assert.ok(nothingOwed.includes(`ipvigil_destination_weight_owed{${labels}} 0`));
	});

	test('lose the series of a destination that left, and take it up anew', async () => {
		let destinations: DestinationView[] = [shown];
		const metrics = createMetrics(build, () => ({ ...view, destinations }));
		await metrics.text();
		destinations = [];
		assert.ok(!(await metrics.text()).includes('10.1.0.11'));
		destinations = [{ ...shown, attempts: { refused: 2 } }];
		assert.ok(samples(await metrics.text()).includes(`ipvigil_attempts_total{outcome="refused",${labels}} 2`));
	});

	test('never let a counter fall', async () => {
		let attempts: DestinationView['attempts'];
		const metrics = createMetrics(build, () => ({ ...view, destinations: [{ ...shown, attempts }] }));
		const seen = [];
		for (const refused of [17, 20, 3, undefined, 4]) {
			attempts = refused === undefined ? undefined : { refused };
			seen.push(/^ipvigil_attempts_total.*"refused".* (\d+)$/m.exec(await metrics.text())?.[1]);
		}
		assert.deepEqual(seen, ['17', '20', '23', '23', '24']);
	});

	test('never count twice what a service has, whichever of its destinations leave and return', async () => {
		let handshake: ServiceView['handshake'];
		const metrics = createMetrics(build, () => ({ ...view, services: [{ ...service, handshake }] }));
		const seen = [];
		for (const counts of [{ a: 1000, b: 1000, c: 1000 }, { a: 1000, b: 1001 }, {}, { a: 2, c: 3 }]) {
			handshake = new Map(Object.entries(counts).map(([one, count]) => [one, [count]]));
			seen.push(/^ipvigil_handshake_seconds_count.* (\d+)$/m.exec(await metrics.text())?.[1]);
		}
		assert.deepEqual(seen, ['3000', '3001', '3001', '3006']);
	});

	test('never count the errors of a host twice because its endpoint is listed anew', async () => {
		let unreachable: DestinationView['unreachable'];
		const metrics = createMetrics(build, () => ({ ...view, destinations: [{ ...shown, unreachable }] }));
		const seen = [];
		for (const [ofHost, ofEndpoint] of [
			[40, 5],
			[40, 0],
			[41, 2],
		]) {
			unreachable = new Map(Object.entries({ host: [ofHost ?? 0], endpoint: [ofEndpoint ?? 0] }));
			seen.push(/^ipvigil_unreachable_total.* (\d+)$/m.exec(await metrics.text())?.[1]);
		}
		assert.deepEqual(seen, ['45', '45', '48']);
	});

	test('read the view once for scrapes at the same time', async () => {
		let reads = 0;
		const metrics = createMetrics(build, () => {
			reads += 1;
			return view;
		});
		const [first, second] = await Promise.all([metrics.text(), metrics.text()]);
		assert.equal(first, second);
		assert.equal(reads, 1);
		await metrics.text();
		assert.equal(reads, 2);
	});

	test('fail a scrape whose view cannot be read, and work again afterwards', async () => {
		let broken = true;
		const metrics = createMetrics(build, () => {
			if (broken) throw new Error('no view');
			return view;
		});
		await assert.rejects(metrics.text(), /no view/);
		broken = false;
		assert.ok((await metrics.text()).includes('ipvigil_leases 1'));
	});
});
