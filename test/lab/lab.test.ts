/**
 * The lab as tests: one boot per kernel, one subtest per scenario. Each signal is switched off once too, and the scenario
 * that depends on it must then fail.
 */
import { test } from 'node:test';
import type { KernelName } from './kernel.js';
import { planForTests } from './plan.js';
import { loadScenarios } from './scenarios.js';
import { type Outcome, runScenarios } from './session.js';
import { asItShould, Timeline } from './timeline.js';

/** The oldest that is supported and the newest there is; 6.12 is for `npm run lab -- all --kernel 6.12`. */
const kernels: KernelName[] = ['6.1', '7'];

interface Deferred<T> {
	promise: Promise<T>;
	resolve: (value: T) => void;
	reject: (error: Error) => void;
}

/** Promise.withResolvers, which Node 20 has not. */
function deferred<T>(): Deferred<T> {
	const made = {} as Deferred<T>;
	made.promise = new Promise((resolve, reject) => {
		Object.assign(made, { resolve, reject });
	});
	return made;
}

const all = await loadScenarios();
const sentences = new Map(all.map(({ name, sentence }) => [name, sentence]));

for (const kernel of kernels) {
	test(`a director with Debian's kernel ${kernel}`, async (t) => {
		const plan = planForTests(all, kernel, kernels);
		const awaited = plan.map(() => deferred<Outcome>());
		// A machine that fails makes every scenario fail that has not ended: with its reason, and not unhandled.
		for (const { promise } of awaited) promise.catch(() => undefined);
		const timeline = new Timeline((line) => t.diagnostic(line));
		let ended = 0;
		const session = runScenarios({
			kernel,
			runs: plan,
			say: (sentence) => t.diagnostic(sentence),
			onEvent: (event) => timeline.event(event),
			onOutcome: (outcome) => awaited[ended++]?.resolve(outcome),
		}).catch((error: Error) => {
			for (const { reject } of awaited) reject(error);
		});
		for (const [index, { scenario, blind }] of plan.entries()) {
			const sentence = sentences.get(scenario) ?? scenario;
			const name = blind ? `${scenario} fails without its signal` : `${scenario}: ${sentence}`;
			await t.test(name, async () => {
				const outcome = await awaited[index]?.promise;
				if (outcome && !asItShould(outcome)) throw new Error(outcome.failure ?? 'it passed without its signal');
			});
		}
		await session;
	});
}
