/** Rows for people: the ratio first, then both sides with their spread. */
import type { Figure, Row } from './figure.js';
import { hold, type Summary, summarize, type Verdict } from './statistics.js';

export interface Result {
	figure: Pick<Figure, 'name' | 'sentence' | 'conditions'>;
	rows: Row[];
	/** What broke it, if it did not come to its end. */
	failure: string | undefined;
	tookMs: number;
}

/** Three digits say all that such measurements know. */
function digits(value: number): string {
	if (!Number.isFinite(value)) return 'none';
	return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function spread(what: string, { n, min, median, p99, max }: Summary, unit: string): string {
	const values = `min ${digits(min)}  median ${digits(median)}  p99 ${digits(p99)}  max ${digits(max)}`;
	return `      ${what.padEnd(34)} ${values} ${unit}  (n ${n})`;
}

function verdictText({ of, reached, met, atMost, atLeast }: Verdict, unit: string): string {
	const goal = atMost === undefined ? `>= ${atLeast}` : `<= ${atMost}`;
	return `${of} ${digits(reached)} ${unit} (goal ${goal}: ${met ? 'met' : 'MISSED'})`;
}

export function rowLines(row: Row): string[] {
	const measured = summarize(row.measured);
	const verdicts = hold(row).map((verdict) => verdictText(verdict, row.beside ? 'x' : row.unit));
	const ratio = row.beside && `median ${digits(measured.median / summarize(row.beside.measured).median)} x`;
	const head = verdicts.length > 0 ? verdicts : ratio ? [ratio] : [];
	return [
		`   ${row.what}${head.length > 0 ? `: ${head.join(', ')}` : ''}`,
		spread(row.beside ? 'measured' : '', measured, row.unit),
		...(row.beside ? [spread(row.beside.what, summarize(row.beside.measured), row.unit)] : []),
	];
}

export function resultLines({ figure, rows, failure, tookMs }: Result): string[] {
	return [
		'',
		`${figure.name}: ${figure.sentence}`,
		`   ${figure.conditions}`,
		...rows.flatMap(rowLines),
		...(failure === undefined ? [] : [`   BROKE: ${failure}`]),
		`   (${(tookMs / 1000).toFixed(1)} s)`,
	];
}

/** The same as data: summaries and verdicts instead of every single measurement. */
export function asData({ figure, rows, failure, tookMs }: Result) {
	return {
		name: figure.name,
		conditions: figure.conditions,
		tookMs,
		failure,
		rows: rows.map((row) => ({
			what: row.what,
			unit: row.unit,
			measured: summarize(row.measured),
			beside: row.beside && { what: row.beside.what, ...summarize(row.beside.measured) },
			goals: hold(row),
		})),
	};
}

export function closingLine(results: readonly Result[]): string {
	const verdicts = results.flatMap(({ rows }) => rows.flatMap(hold));
	const broken = results.filter(({ failure }) => failure !== undefined).length;
	const missed = verdicts.filter(({ met }) => !met).length;
	const end = broken === 0 ? '' : `; ${broken} figures broke`;
	return `\n${verdicts.length} goals: ${verdicts.length - missed} met, ${missed} missed${end}`;
}
