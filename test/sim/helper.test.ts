/** The simulated helper and the shell script, asked about the same leases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease, LeaseState } from '../../src/judge/lease.js';
import { HelperBench, uptime } from '../deploy/helper-bench.js';
import { lease } from '../remedy/example.js';
import { isOurs, owes } from './helper.js';

const states: LeaseState[] = ['held', 'with-monitor'];
const weights = [undefined, 0, 2] as const;
/** Written by an earlier process. */
const earlierWrites = [undefined, { weight: 0, pid: lease.pid - 1 }, { weight: 2, pid: lease.pid - 1 }];
const stranger = lease.pid + 1;

test('the simulated helper gives back what the script gives back, and nothing else', (t) => {
	let given = 0;
	for (const state of states)
		for (const written of [undefined, 0])
			for (const earlier of earlierWrites)
				for (const standing of weights)
					for (const lastPid of [undefined, lease.pid, lease.pid - 1, stranger]) {
						const one: Lease = { ...lease, state, written, untilMs: (uptime() - 10) * 1_000 };
						const bench = new HelperBench(t);
						bench.ledger.enter(one, earlier);
						const rule = `-a -t 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w ${standing}`;
						bench.table(...(standing === undefined ? [] : [rule]));
						const line = lastPid === undefined ? '' : `tcp 10.0.0.100:8080 10.1.0.11:8080 pid=${lastPid} comm=x\n`;
						bench.run(bench.writers(line));
						const expected = owes(one) && isOurs({ lease: one, earlier }, standing, lastPid);
						const what = `${state}, written ${written}, earlier ${earlier?.weight}, stands ${standing}, last ${lastPid}`;
						assert.equal(bench.edits.length, expected ? 1 : 0, what);
						given += bench.edits.length;
					}
	assert.ok(given > 0);
});
