import { travelsAsGitShows } from './files-git';

test('what travels of a hundred random trees is what git shows of them', () => travelsAsGitShows(100));
