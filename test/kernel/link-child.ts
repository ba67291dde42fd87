/**
 * Runs inside the director's namespace: `link-child ADDRESS...` watches these neighbours. Prints one JSON line for the
 * parts that are attached, one per event, and the losses when its standard input ends.
 */
import { openLink } from '../../src/capture/link.js';

function print(value: unknown): void {
	process.stdout.write(`${JSON.stringify(value)}\n`);
}

const link = openLink({
	onEvents: (events) => events.forEach(print),
	onError: (error) => {
		throw error;
	},
});
if (!link.available) throw new Error(link.reason);
link.setHosts(process.argv.slice(2));
process.stdin.on('end', () => {
	print(link.losses());
	link.close();
});
process.stdin.resume();
print(link.parts);
