/** Finds the scenarios: every file of scenarios/ is one, by its default export. */
import { readdir } from 'node:fs/promises';
import type { Scenario } from './scenario.js';

export async function loadScenarios(): Promise<Scenario[]> {
	const directory = new URL('./scenarios/', import.meta.url);
	const names = (await readdir(directory)).filter((name) => name.endsWith('.js')).sort();
	const modules = await Promise.all(names.map((name) => import(new URL(name, directory).href)));
	return modules.flatMap((module: { default: Scenario | Scenario[] }) => module.default);
}
