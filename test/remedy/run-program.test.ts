/** What becomes of a program's processes; what its end says is tested where that is told, with the probe and the hook. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runProgram } from '../../src/remedy/run-program.js';
import { temporaryDirectory } from './example.js';

const shell = (script: string, ...args: string[]) => ['/bin/sh', '-c', script, 'check', ...args];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The state letter of /proc/<pid>/stat (proc_pid_stat(5)), or undefined where there is no such process. */
function stateOf(pid: number): string | undefined {
	try {
		return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
	} catch {
		return undefined;
	}
}

/** Until it is gone or waits for its parent only. */
async function isGone(pid: number): Promise<boolean> {
	for (let turn = 0; turn < 200; turn++) {
		if ([undefined, 'Z', 'X'].includes(stateOf(pid))) return true;
		await pause(10);
	}
	return false;
}

function numberIn(file: string): number {
	return Number(readFileSync(file, 'utf8'));
}

/** As if each process slept where no signal reaches it; in the end all of them are killed after all. */
function withoutSignals(t: TestContext): number[] {
	const groups: number[] = [];
	const { mock } = t.mock.method(process, 'kill', (group: number) => groups.push(group) > 0);
	t.after(async () => {
		mock.restore();
		for (const group of groups) process.kill(group, 'SIGKILL');
		for (const group of groups) assert.ok(await isGone(-group));
		// Their ends are told in a later turn of the loop.
		await pause(20);
	});
	return groups;
}

for (const code of [0, 3])
	test(`what a program that exits with ${code} left in the background ends with it`, async (t) => {
		const file = join(temporaryDirectory(t), 'pid');
		const script = 'sleep 60 >/dev/null 2>&1 & echo $! > "$1"; exit "$2"';
		const { end } = runProgram({ command: shell(script, file, String(code)), timeoutMs: 10_000 });
		assert.deepEqual(await end, { kind: 'exited', code, complaint: '' });
		assert.ok(await isGone(numberIn(file)));
	});

test('what has left the group stays, and is not waited for though it holds standard error', async (t) => {
	const file = join(temporaryDirectory(t), 'pid');
	const script =
		'setsid sh -c \'echo $$ > "$1.new"; mv "$1.new" "$1"; exec sleep 60\' sh "$1" & until test -e "$1"; do :; done';
	const { end } = runProgram({ command: shell(script, file), timeoutMs: 10_000 });
	assert.deepEqual(await end, { kind: 'exited', code: 0, complaint: '' });
	const pid = numberIn(file);
	assert.equal(await Promise.race([isGone(pid), pause(50)]), undefined);
	process.kill(pid, 'SIGKILL');
});

test('a program that no signal ends is late all the same, or signalled where it was to be killed', async (t) => {
	const groups = withoutSignals(t);
	const late = runProgram({ command: ['/bin/sleep', '60'], timeoutMs: 50 });
	assert.deepEqual(await late.end, { kind: 'late' });
	const killed = runProgram({ command: ['/bin/sleep', '60'], timeoutMs: 60_000 });
	killed.kill();
	assert.deepEqual(await killed.end, { kind: 'signalled', signal: 'SIGKILL', complaint: '' });
	assert.equal(groups.length, 2);
});

test('while too many programs do not end no other one is started', async (t) => {
	const file = join(temporaryDirectory(t), 'started');
	const touch = { command: ['/usr/bin/touch', file], timeoutMs: 10_000 };
	await t.test('sixteen of them', async (inner) => {
		withoutSignals(inner);
		const sleeps = Array.from({ length: 16 }, () => runProgram({ command: ['/bin/sleep', '60'], timeoutMs: 50 }));
		for (const { end } of sleeps) assert.deepEqual(await end, { kind: 'late' });
		const reason = '16 programs that were killed have not ended yet';
		assert.deepEqual(await runProgram(touch).end, { kind: 'not-started', reason });
		assert.equal(existsSync(file), false);
	});
	assert.deepEqual(await runProgram(touch).end, { kind: 'exited', code: 0, complaint: '' });
});
