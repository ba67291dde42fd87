/**
 * Stands in for an agent in the scenarios of the audit: opens it with or without pins, writes each event as a line of
 * JSON, and ends in order at SIGTERM, its pins left. A first line says which hooks are attached.
 *
 *   node audit-watch.js [PIN-DIRECTORY]
 */
import { openAudit } from '../../src/capture/audit.js';

const say = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);

const audit = openAudit({
	pinDirectory: process.argv[2],
	onEvents: (events) => events.forEach(say),
	onError: (error) => say({ kind: 'error', message: error.message }),
});
if (audit.available) {
	say({ kind: 'open', adopted: audit.adopted, hooks: audit.hooks });
	const stayAlive = setInterval(() => {}, 1_000);
	process.once('SIGTERM', () => {
		clearInterval(stayAlive);
		audit.drain();
		say({ kind: 'closed', losses: audit.losses() });
		audit.close();
	});
} else {
	say(audit);
	process.exitCode = 1;
}
