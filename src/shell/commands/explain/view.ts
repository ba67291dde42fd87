/**
 * An explanation as text and as JSON: how the destination stands, the steps of its last decision with their times, the
 * figures behind them, and what weight 0 does not do. It gets everything and reads nothing.
 */
import { titleOf } from '../../../judge/title.js';
import type { Standing } from '../../../report/standing.js';
import { hasBeginning, type Step } from '../../../report/story.js';
import { spokenDuration } from '../../duration.js';
import { grid } from '../grid.js';
import type { Explanation } from './gather.js';

/** @param now The wall clock, for "so long ago". */
export function renderExplanation(explanation: Explanation, now: Date): string {
	const { destination, decision, caveats } = explanation;
	const parts = [
		`${destination}\n`,
		standingText(explanation),
		decision.length === 0 ? 'The journal knows of no decision about it.\n' : decisionText(decision, now),
		figuresText(decision),
		caveats.map((sentence) => `${sentence}\n`).join(''),
		cautions(explanation),
	];
	return parts.filter((part) => part !== '').join('\n');
}

function standingText({ running, unanswered, standing, decision }: Explanation): string {
	if (standing)
		return standingLines(standing)
			.map((line) => `${line}\n`)
			.join('');
	if (unanswered !== undefined) return `${unanswered}\nWhat follows is history.\n`;
	if (running) return 'It is in the table no more; what follows is history.\n';
	const last = decision.at(-1);
	const left = last ? ` It was left at: ${titleOf(last.scenario)}.` : '';
	return `No ipvigil runs here; what follows is history.${left}\n`;
}

function standingLines(standing: Standing): string[] {
	const { mode, dryRun, verdict, inTable, weight, lease, hold, handsOffMs, impaired } = standing;
	const place = inTable ? `weight ${weight}` : 'not in the table now';
	return [
		`Now ${verdict}, ${place}; mode ${mode}${dryRun ? ', dry run' : ''}.`,
		...(lease ? [leaseLine(lease)] : ['No lease stands.']),
		...(hold ? [holdLine(hold)] : []),
		...(handsOffMs === null ? [] : [handsOffLine(handsOffMs)]),
		...askedLines(standing),
		...(impaired === null ? [] : [`It cannot be judged, because the fault is the director's own: ${impaired}.`]),
	];
}

function leaseLine(lease: NonNullable<Standing['lease']>): string {
	const { state, written, owed, since, until, leftMs, count, ending, rehearsed } = lease;
	const what =
		state === 'with-monitor'
			? 'the monitor has taken it out at our word'
			: written === null
				? 'the monitor was asked to take it out'
				: `weight ${written} ${rehearsed ? 'would be' : 'is'} written, ${owed} owed`;
	const end = ending === null ? `until ${clock(until)} (${spokenDuration(leftMs)} left)` : `being ended: ${ending}`;
	return `Lease ${count} since ${clock(since)}, ${end}: ${what}.`;
}

function holdLine({ scope, reason, until, leftMs }: NonNullable<Standing['hold']>): string {
	const whom = scope === 'all' ? 'Held with all others' : 'Held';
	const end =
		until === null
			? 'until it is resumed'
			: `until ${until.slice(0, 10)} ${clock(until)} (${spokenDuration(leftMs ?? 0)} left)`;
	return `${whom} ${end}: ${reason}.`;
}

function handsOffLine(ms: number): string {
	if (ms === 0) return 'Hands off until there is new evidence.';
	return `Hands off for another ${spokenDuration(ms)}, and then until there is new evidence.`;
}

function askedLines({ asked, signal }: Standing): string[] {
	if (!asked) return ['Nobody can be asked about it: its port is not known.'];
	const { listener, calibrated, acceptedMsAgo, declinedMsAgo } = asked;
	const ago = (ms: number | null) => (ms === null ? 'never' : `${spokenDuration(ms)} ago`);
	const proof = calibrated ? 'calibrated' : 'not calibrated, so that its refusal proves nothing';
	return [
		`Probe of ${listener}: ${proof}; last accepted ${ago(acceptedMsAgo)}, last declined ${ago(declinedMsAgo)}.`,
		...(signal ? [`Last signal against it: ${signal.name}, ${ago(signal.msAgo)}.`] : []),
	];
}

function decisionText(decision: Step[], now: Date): string {
	const [first] = decision;
	if (!first) return '';
	const agoMs = now.getTime() - Date.parse(first.at);
	const ago = agoMs >= 0 ? `, ${spokenDuration(agoMs)} ago` : '';
	const told = decision.map((step) => stepText(step, first)).join('');
	return `Its last decision began on ${first.at.slice(0, 10)} at ${clock(first.at)}${ago}:\n\n${told}`;
}

function stepText(step: Step, first: Step): string {
	const { at, scenario, sentence, times } = step;
	const count = times > 1 ? `, ${times} times, the last:` : '';
	const after = step === first ? '' : `  +${spokenDuration(sinceMs(step, first))}`;
	return `${clock(at)}${after}  ${scenario}: ${titleOf(scenario)}${count}\n    ${sentence}\n`;
}

/** By the boot clock, which nobody sets; across a reboot it begins anew, and the wall clock must do. */
function sinceMs(step: Step, first: Step): number {
	const bootMs = step.bootMs - first.bootMs;
	return Math.max(bootMs >= 0 ? bootMs : Date.parse(step.at) - Date.parse(first.at), 0);
}

function figuresText(decision: Step[]): string {
	const rows = decision.flatMap(({ scenario, facts }) =>
		Object.entries(facts)
			.filter(([, value]) => value !== '')
			.map(([figure, value], index) => [index === 0 ? scenario : '', figure, String(value)]),
	);
	return rows.length === 0 ? '' : grid(['SCENARIO', 'FIGURE', 'VALUE'], rows);
}

function cautions({ unreadableLines, historyIsCut, decision }: Explanation): string {
	const isHeadless = historyIsCut && decision.length > 0 && !hasBeginning(decision);
	return [
		...(unreadableLines > 0 ? [`${counted(unreadableLines, 'line')} of the journal could not be read.\n`] : []),
		...(isHeadless ? ['Its beginning is further back than was read.\n'] : []),
	].join('');
}

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;

/** `10:00:00.123 UTC` */
function clock(iso: string): string {
	return `${iso.slice(11, 23)} UTC`;
}

/** The shape that `ipvigil explain --help` promises. */
export function explanationJson(explanation: Explanation): string {
	const { destination, running, unanswered, standing, caveats, unreadableLines, historyIsCut } = explanation;
	const decision = explanation.decision.map(({ at, bootMs, scenario, sentence, facts, times }) => {
		return { at, bootMs, scenario, name: titleOf(scenario), sentence, facts, times };
	});
	const said = { format: 1, destination, running, unanswered: unanswered ?? null, standing: standing ?? null };
	return `${JSON.stringify({ ...said, decision, caveats, unreadableLines, historyIsCut }, undefined, 2)}\n`;
}
