/**
 * `ipvigil table`: the IPVS table, once, as people or programs read it. Naming services costs one request each; the
 * whole table is read only where none is named. How it is printed is in table-view.ts.
 */
import { Command, Option } from 'commander';
import { type Output, outputs } from '../choices.js';

interface TableOptions {
	output: Output;
	rules?: string;
}

export function makeTableCommand(): Command {
	return new Command('table')
		.description('print the IPVS table: services, destinations, weights, connections')
		.argument('[service...]', 'only these: "tcp VIP:PORT", "udp VIP:PORT", "sctp VIP:PORT", "fwmark N [inet6]"')
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(outputs).default('table'))
		.option('-r, --rules <file>', "read a file of ipvsadm rules (ipvsadm -S -n) instead of the kernel's table")
		.addHelpText('after', explanation)
		.action(printTable);
}

const explanation = `
Examples:
  ipvigil table
  ipvigil table tcp 10.0.0.100:80 fwmark 7
  ipvigil table -o json | jq '.services[].destinations[] | select(.weight == 0)'
  ipvigil table --rules /etc/ipvsadm.rules

JSON: { "format": 1, "source", "services": [ { "id", "address", "scheduler", "flags", "persistenceSeconds",
"netmask", "persistenceEngine", "stats", "destinations": [ { "id", "family", "address", "port", "forwarding",
"weight", "upperThreshold", "lowerThreshold", "tunnel", "activeConnections", "inactiveConnections",
"persistentConnections", "stats" } ] } ] }. The counters in "stats" are decimal strings, because they are 64 bits
wide; every other number is a number. Keys may be added; "format" changes when one changes its meaning.`;

async function printTable(words: string[], options: TableOptions): Promise<void> {
	const { parseServices } = await import('./services.js');
	const { renderTable, tableJson } = await import('./table-view.js');
	const { usesColour } = await import('./grid.js');
	const services = parseServices(words);
	const { readTable } = await import('../table-source.js');
	const snapshot = await readTable(services, options.rules);
	process.stdout.write(
		options.output === 'json' ? tableJson(snapshot, options.rules ?? 'kernel') : renderTable(snapshot, usesColour()),
	);
}
