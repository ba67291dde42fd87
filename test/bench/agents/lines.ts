/** The agents' side of the talk: what they are told line by line, and how they answer. */
import { createInterface } from 'node:readline';

export function onMessage(take: (message: Record<string, unknown>) => void): void {
	createInterface({ input: process.stdin }).on('line', (line) => take(JSON.parse(line) as Record<string, unknown>));
}

export function answer(line: object): void {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}
