/**
 * Every file of `test/scenarios/` is a story: inputs and what the judge answers. A change of behaviour shows as a
 * change of the story; `npm run golden:update` rewrites the answers, and the reviewer reads the difference.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { playStory, Script } from './script.js';

const directory = join(import.meta.dirname, '../../../test/scenarios');

const stories = readdirSync(directory).filter((name) => name.endsWith('.txt'));

test('there are stories', () => assert.ok(stories.length >= 8));

for (const name of stories)
	test(`story ${name}`, () => {
		const path = join(directory, name);
		const told = readFileSync(path, 'utf8');
		const now = playStory(new Script(), told);
		if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, now);
		else assert.equal(now, told);
	});
