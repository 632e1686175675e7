import { travelsAsGitShows } from './files-git';

test('what travels of 5,000 random trees is what git shows of them', () => travelsAsGitShows(5_000), 600_000);
