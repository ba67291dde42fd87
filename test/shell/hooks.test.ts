import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pino } from 'pino';
import { type HookState, type Unavailable, unavailable } from '../../src/capture/availability.js';
import { type StreamLosses, sumLosses } from '../../src/capture/stream.js';
import { Hooked, HookKeeper } from '../../src/shell/hooks.js';
import { ReleaseRequest } from '../../src/shell/release-request.js';

interface Attached {
	available: true;
	hooks: HookState[];
	losses: () => StreamLosses;
}

/** A capture that has lost records for want of room in the ring. */
function attached(ringFull = 0): Attached {
	const refused = { hook: 'name_parsed', attached: false, reason: 'no such function' };
	const hooks = [{ hook: 'update_dest', attached: true, reason: '' }, refused];
	return { available: true, hooks, losses: () => ({ ...sumLosses([]), ringFull }) };
}

const noHook = unavailable('NO_HOOK', 'no such function', 'report it');

/** A vantage point that is to be had as `answer` says, and what was done to it. */
class Stage {
	readonly done: string[] = [];
	readonly said: string[] = [];
	answer: Attached | Unavailable = attached();
	readonly log = pino({ level: 'info', base: null, timestamp: false }, { write: (line: string) => this.#hear(line) });
	readonly hooked = new Hooked<Attached>(
		{
			vantage: 'audit',
			name: 'audit',
			hooks: ['update_dest', 'name_parsed'],
			without: 'no audit',
			open: () => {
				this.done.push('open');
				return this.answer;
			},
			letGo: () => this.done.push('let go'),
		},
		this.log,
	);

	#hear(line: string): void {
		this.said.push((JSON.parse(line) as { msg: string }).msg);
	}
}

describe('one vantage point in ip_vs', () => {
	const at = (nowMs: number, instance: number | undefined, released = false) => ({ instance, released, nowMs });

	it('is not tried as long as the module is not there', () => {
		const { hooked, done } = new Stage();
		assert.equal(hooked.follow(at(0, undefined)), false);
		assert.deepEqual(done, []);
	});

	it('is attached once when the module comes', () => {
		const { hooked, done } = new Stage();
		hooked.follow(at(0, undefined));
		assert.equal(hooked.follow(at(1, 7)), true);
		assert.equal(hooked.follow(at(2, 7)), false);
		assert.deepEqual(done, ['open']);
		assert.ok(hooked.current);
	});

	it('that is not to be had is told once and tried again after a minute, not sooner', () => {
		const stage = new Stage();
		const { hooked, done, said } = stage;
		stage.answer = noHook;
		hooked.follow(at(0, 7));
		hooked.follow(at(59_999, 7));
		assert.equal(done.length, 1);
		assert.equal(hooked.reason?.code, 'NO_HOOK');
		hooked.follow(at(60_000, 7));
		assert.equal(done.length, 2);
		assert.equal(said.length, 1);
		stage.answer = attached();
		hooked.follow(at(120_000, 7));
		assert.equal(hooked.reason, undefined);
		assert.ok(hooked.current);
	});

	it('that is not to be had is tried at once with another loading of the module', () => {
		const stage = new Stage();
		stage.answer = noHook;
		stage.hooked.follow(at(0, 7));
		stage.hooked.follow(at(1, 8));
		assert.deepEqual(stage.done, ['open', 'open']);
	});

	it('lets go when it is asked to, once, and is taken up when it is not any more', () => {
		const { hooked, done } = new Stage();
		hooked.follow(at(0, 7));
		assert.equal(hooked.follow(at(1, 7, true)), true);
		assert.equal(hooked.follow(at(2, 7, true)), false);
		assert.equal(hooked.current, undefined);
		assert.equal(hooked.follow(at(3, 7)), true);
		assert.deepEqual(done, ['open', 'let go', 'open']);
	});

	it('names each hook and whether it is attached, before it is and after it was', () => {
		const { hooked } = new Stage();
		const shown = () => hooked.watching().map((one) => ('hook' in one ? `${one.hook} ${one.attached}` : ''));
		const seen = [shown()];
		for (const released of [false, true]) {
			hooked.follow(at(0, 7, released));
			seen.push(shown());
		}
		const none = ['update_dest false', 'name_parsed false'];
		assert.deepEqual(seen, [none, ['update_dest true', 'name_parsed false'], none]);
	});

	it('keeps count of what was lost when it lets go, and when it is taken up again', () => {
		const stage = new Stage();
		const { hooked } = stage;
		const lost = [hooked.losses().ringFull];
		for (const [released, ringFull] of [
			[false, 5],
			[true, 0],
			[false, 2],
			[true, 0],
		] as const) {
			stage.answer = attached(ringFull);
			hooked.follow(at(lost.length, 7, released));
			lost.push(hooked.losses().ringFull);
		}
		assert.deepEqual(lost, [0, 5, 5, 7, 7]);
	});

	it('ends as the end of the process wants it, once', () => {
		const { hooked, done } = new Stage();
		hooked.follow(at(0, 7));
		hooked.close(() => done.push('closed'));
		hooked.close(() => done.push('closed'));
		assert.deepEqual(done, ['open', 'closed']);
	});
});

describe('the keeper of the hooks', () => {
	let directory: string;
	let stage: Stage;
	let instance: number | undefined;
	let changes: number;
	let keeper: HookKeeper | undefined;
	let request: ReleaseRequest;

	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), 'ipvigil-hooks-'));
		request = new ReleaseRequest(directory);
		stage = new Stage();
		changes = 0;
	});
	afterEach(() => {
		keeper?.close();
		rmSync(directory, { recursive: true });
	});

	function keep(present: number | undefined): HookKeeper {
		instance = present;
		keeper = new HookKeeper({
			hooked: [stage.hooked],
			request,
			nowMs: () => 0,
			log: stage.log,
			onChange: () => changes++,
			instance: () => instance,
		});
		return keeper;
	}

	it('attaches at once where the module is there, and calls nobody for it', () => {
		assert.equal(keep(7).present, true);
		assert.deepEqual(stage.done, ['open']);
		assert.equal(changes, 0);
	});

	it('waits for the module, says so, and attaches when it comes', () => {
		const waiting = keep(undefined);
		assert.equal(waiting.present, false);
		assert.match(stage.said[0] ?? '', /ip_vs is not loaded: waiting for it/);
		waiting.look();
		assert.equal(changes, 0);
		instance = 7;
		waiting.look();
		assert.deepEqual(stage.done, ['open']);
		assert.equal(changes, 1);
	});

	it('lets go at the wish and acknowledges it, and stays so', () => {
		const attached = keep(7);
		request.make();
		assert.equal(request.acknowledged, false);
		attached.look();
		attached.look();
		assert.deepEqual(stage.done, ['open', 'let go']);
		assert.equal(request.acknowledged, true);
		assert.equal(changes, 1);
	});

	it('does not attach where the wish stood before it came', () => {
		request.make();
		keep(7).look();
		assert.deepEqual(stage.done, []);
		assert.equal(request.acknowledged, true);
	});

	it('takes up again when the wish is taken back', () => {
		const attached = keep(7);
		request.make();
		attached.look();
		request.withdraw();
		attached.look();
		assert.deepEqual(stage.done, ['open', 'let go', 'open']);
	});

	for (const [how, seen] of [
		['gone and come back', [undefined, 8]],
		['come back between two looks', [8]],
	] as const)
		it(`takes the wish for fulfilled when the module has ${how}`, () => {
			const attached = keep(7);
			request.make();
			attached.look();
			for (const next of seen) {
				instance = next;
				attached.look();
			}
			assert.equal(request.standing, false);
			assert.deepEqual(stage.done, ['open', 'let go', 'open']);
		});

	it('takes a wish that outlived its module for fulfilled', () => {
		request.make();
		keep(undefined);
		assert.equal(request.standing, false);
	});

	it('goes on where the wish cannot be acknowledged, and says so once', () => {
		const attached = keep(7);
		mkdirSync(request.path);
		attached.look();
		attached.look();
		assert.deepEqual(stage.done, ['open', 'let go']);
		assert.equal(stage.said.filter((line) => /release-hooks cannot be kept/.test(line)).length, 1);
	});

	it('that was taken back meanwhile is not made again by its acknowledgement', () => {
		request.acknowledge();
		assert.deepEqual([request.standing, request.acknowledged], [false, false]);
	});

	it('asked anew is not answered by what was acknowledged before', () => {
		request.make();
		request.acknowledge();
		request.make();
		assert.equal(request.acknowledged, false);
	});
});
