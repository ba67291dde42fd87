/**
 * Stands in for an agent in the scenarios of outcomes: opens them for the destinations that it is given, writes each
 * event as a line of JSON, at SIGUSR2 what stands of each destination, and ends in order at SIGTERM.
 *
 *   node outcome-watch.js [--packets] SERVICE DESTINATION...     (tcp 10.0.0.100:80; 10.1.0.11:8080)
 */
import { openOutcome } from '../../src/capture/outcome.js';
import { parseHostPort, parseServiceId } from '../../src/table/identity.js';

const say = (value: unknown) => void process.stdout.write(`${JSON.stringify(value)}\n`);
const [, , first, ...rest] = process.argv;
const packets = first === '--packets';
const [serviceText = '', ...destinations] = packets ? rest : [first ?? '', ...rest];
const service = parseServiceId(serviceText);
if (service === undefined) throw new Error(`"${serviceText}" is no service`);

const outcome = openOutcome({
	packets,
	onEvents: (events) => events.forEach(say),
	onError: (error) => say({ kind: 'error', message: error.message }),
});
if (outcome.available) {
	const listed = destinations.map((text) => {
		const destination = parseHostPort(text);
		if (destination === undefined) throw new Error(`"${text}" is no destination`);
		return { service, destination };
	});
	outcome.setDestinations(listed);
	const stayAlive = setInterval(() => {}, 1_000);
	process.on('SIGUSR2', () => {
		outcome.drain();
		say({
			kind: 'standing',
			destinations: outcome.outcomes(),
			services: outcome.services(),
			losses: outcome.losses(),
		});
	});
	process.once('SIGTERM', () => {
		clearInterval(stayAlive);
		outcome.close();
		say({ kind: 'closed' });
	});
	say({ kind: 'open', hooks: outcome.hooks });
} else {
	say(outcome);
	process.exitCode = 1;
}
