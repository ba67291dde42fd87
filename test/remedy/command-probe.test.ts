import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CommandProber } from '../../src/remedy/command-probe.js';
import { type Listener, noTunnel } from '../../src/table/model.js';
import { temporaryDirectory } from './example.js';

const listener: Listener = {
	endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	vip: undefined,
};
const onVip: Listener = {
	...listener,
	vip: { address: '10.0.0.100', port: 80, forwarding: 'droute', tunnel: noTunnel },
};

const shell = (script: string, ...args: string[]) => ['/bin/sh', '-c', script, 'check', ...args];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function ask(command: string[], timeoutMs = 5_000): Promise<string> {
	const { outcome, detail } = await new CommandProber().probe(listener, command, timeoutMs);
	return detail === '' ? outcome : `${outcome}: ${detail}`;
}

describe('the command probe', () => {
	test('is accepted by exit status 0, and refused by any other, with the first line of the complaint', async () => {
		assert.equal(await ask(['/bin/true']), 'accepted');
		assert.equal(await ask(['/bin/false']), 'refused: /bin/false exited with 1');
		const complaint = shell('echo "no such user" >&2; echo "and more" >&2; exit 3');
		assert.equal(await ask(complaint), 'refused: /bin/sh exited with 3: no such user');
		const long = await ask(shell('yes x | head -c 100000 | tr -d "\\n" >&2; exit 1'));
		assert.equal(long, `refused: /bin/sh exited with 1: ${'x'.repeat(200)}`);
	});

	test('is an error of ours where the program could not do its work', async () => {
		for (const command of [['/nowhere/check'], ['/etc'], ['/bin/true', 'a\0b'], ['']])
			assert.match(await ask(command), /^error: .* cannot be run: /);
		assert.match(await ask(shell('exec /nowhere/check')), /^error: \/bin\/sh exited with 127: .*not found/);
		assert.match(await ask(shell('exec /etc')), /^error: \/bin\/sh exited with 126: /);
		assert.equal(await ask(shell('kill -SEGV $$')), 'error: /bin/sh was ended by SIGSEGV');
	});

	test('is told whom to ask by its environment, and nothing else', async (t) => {
		const file = join(temporaryDirectory(t), 'environment');
		// The shell adds PWD, SHLVL and _ of its own.
		const command = shell('env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort > "$1"', file);
		const told = async (whom: Listener) => {
			const { outcome } = await new CommandProber().probe(whom, command, 5_000);
			assert.equal(outcome, 'accepted');
			return readFileSync(file, 'utf8').trim().split('\n');
		};
		const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
		const own = ['IPVIGIL_ADDRESS=10.1.0.11', 'IPVIGIL_PORT=8080', 'IPVIGIL_PROTOCOL=tcp'];
		assert.deepEqual(await told(listener), [...own, path]);
		const vip = ['IPVIGIL_VIP=10.0.0.100', 'IPVIGIL_VIP_PORT=80'];
		assert.deepEqual(await told(onVip), [...own, ...vip, path]);
	});

	test('no shell reads its arguments, and there is nothing on its standard input', async (t) => {
		const file = join(temporaryDirectory(t), 'no $(such) ; thing');
		assert.equal(await ask(['/usr/bin/touch', file]), 'accepted');
		assert.ok(existsSync(file));
		assert.equal(await ask(shell('test -z "$(cat)"')), 'accepted');
	});

	test('is unanswered when its time is over, and killed then with what it started', async (t) => {
		const file = join(temporaryDirectory(t), 'alive');
		const command = shell('(sleep 0.5; touch "$1") & wait', file);
		assert.equal(await ask(command, 150), 'unanswered: /bin/sh was killed after 150 ms');
		await pause(500);
		assert.equal(existsSync(file), false);
	});

	test('the same question is shared; another one, or one about another listener, is not', async (t) => {
		const file = join(temporaryDirectory(t), 'runs');
		const command = shell('echo run >> "$1"; sleep 0.1', file);
		const prober = new CommandProber();
		const other = [...command, 'other'];
		const asked = [
			prober.probe(listener, command, 5_000),
			prober.probe(listener, command, 5_000),
			prober.probe(listener, other, 5_000),
			prober.probe(onVip, command, 5_000),
		];
		for (const { outcome } of await Promise.all(asked)) assert.equal(outcome, 'accepted');
		assert.equal(readFileSync(file, 'utf8'), 'run\n'.repeat(3));
	});

	test('runs so many at once', async (t) => {
		const directory = temporaryDirectory(t);
		// Each notes how many it finds running.
		const script = 'mkdir "$1/$2"; ls -d "$1"/*/ | wc -l >> "$1/seen"; sleep 0.1; rmdir "$1/$2"';
		const prober = new CommandProber({ underWayMax: 2 });
		const names = ['a', 'b', 'c', 'd'];
		await Promise.all(names.map((name) => prober.probe(listener, shell(script, directory, name), 5_000)));
		const seen = readFileSync(join(directory, 'seen'), 'utf8').trim().split('\n').map(Number);
		assert.deepEqual([seen.length, Math.max(...seen)], [4, 2]);
	});

	test('kills what runs when it is closed, and answers everybody', async (t) => {
		const file = join(temporaryDirectory(t), 'alive');
		const prober = new CommandProber({ underWayMax: 1 });
		const open = ['one', 'two'].map((name) =>
			prober.probe(listener, shell('sleep 0.3; touch "$1"', file, name), 60_000),
		);
		await pause(50);
		prober.close();
		for (const { outcome, detail } of await Promise.all(open)) assert.match(`${outcome} ${detail}`, /^error .*closed/);
		assert.match((await prober.probe(listener, ['/bin/true'], 100)).detail, /closed/);
		await pause(350);
		assert.equal(existsSync(file), false);
	});
});
