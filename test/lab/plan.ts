/**
 * Which scenarios run on a kernel: all that are made for it (`npm run lab -- all`), or those that `npm test` runs there.
 * Blind runs come last; each signal is switched off once.
 */
import type { Plan } from './events.js';
import type { KernelName } from './kernel.js';
import type { Scenario } from './scenario.js';

type Planned = Pick<Scenario, 'name' | 'signal' | 'kernels' | 'ci'>;

export function planFor(scenarios: Planned[], kernel: KernelName, withBlind: boolean): Plan['runs'] {
	const here = scenarios.filter(({ kernels }) => !kernels || kernels.includes(kernel));
	return withBlind ? [...seeing(here), ...blind(here)] : seeing(here);
}

/** The plan of one of the kernels that are tested; a signal is switched off on the first of them where it is asked for. */
export function planForTests(scenarios: Planned[], kernel: KernelName, kernels: KernelName[]): Plan['runs'] {
	const on = (each: KernelName) => scenarios.filter((scenario) => runsIn(scenario, each));
	const earlier = kernels.slice(0, kernels.indexOf(kernel)).flatMap(on);
	const known = new Set(earlier.map(({ signal }) => signal));
	const here = on(kernel);
	return [...seeing(here), ...blind(here.filter(({ signal }) => !known.has(signal)))];
}

const runsIn = ({ kernels, ci }: Planned, kernel: KernelName) =>
	(kernels ?? [kernel]).includes(kernel) && (ci ?? [kernel]).includes(kernel);

const seeing = (scenarios: Planned[]) => scenarios.map(({ name }) => ({ scenario: name, blind: false }));

function blind(scenarios: Planned[]): Plan['runs'] {
	const signals = new Map(scenarios.map(({ signal, name }) => [signal, name]));
	return [...signals].flatMap(([signal, name]) => (signal ? [{ scenario: name, blind: true }] : []));
}
