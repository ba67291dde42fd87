/**
 * `ipvigil explain`: the story of the last decision about a destination, out of the journal on disk, and how it stands now
 * where an ipvigil runs. Here its options; what is gathered is in explain/gather.ts, how it is told in explain/view.ts.
 */
import { Command, Option } from 'commander';
import { answerOutputs, destinationHelp } from './scope.js';

interface ExplainOptions {
	config?: string;
	output: (typeof answerOutputs)[number];
}

export function makeExplainCommand(): Command {
	return new Command('explain')
		.description('tell the story of the last decision about a destination, in words and numbers')
		.argument('<destination...>', 'its id or a part of it, see below')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(answerOutputs).default('text'))
		.addHelpText('after', explanation)
		.action(explain);
}

const explanation = `${destinationHelp}

A decision begins with a suspicion: what was seen of the server, by how many clients. What our probe met,
the verdict, the lease and how it ended follow. How it stands now, the ipvigil that runs here says; without
one, or where it does not answer within 2 s, the journal alone is told. Times are UTC.

JSON: { "format": 1, "destination", "running", "unanswered", "standing", "decision": [ { "at", "bootMs",
"scenario", "name", "sentence", "facts", "times" } ], "caveats": [SENTENCE], "unreadableLines",
"historyIsCut" }. "unanswered" is null, or why the ipvigil that runs here did not say how it stands. "standing"
is null where none said it or the destination is in the table no more, else { "mode", "dryRun",
"verdict", "inTable", "weight", "forwarding", "scheduler", "lease", "hold", "handsOffMs", "asked", "signal",
"impaired", ... }.`;

async function explain(words: string[], options: ExplainOptions): Promise<void> {
	const { loadConfig } = await import('../config.js');
	const { runtimeDirectory, journalDirectory } = loadConfig(options.config);
	const { gather } = await import('./explain/gather.js');
	const { explanationJson, renderExplanation } = await import('./explain/view.js');
	const found = await gather(words.join(' '), runtimeDirectory, journalDirectory);
	const asText = () => renderExplanation(found, new Date());
	process.stdout.write(options.output === 'json' ? explanationJson(found) : asText());
}
