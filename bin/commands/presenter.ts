import type { Context } from '../context';
import { HumanPresenter } from '../render/human-presenter';
import { JsonPresenter } from '../render/json-presenter';
import type { Presenter } from '../render/presenter';
import { QuietPresenter } from '../render/quiet-presenter';

/** The way a watched job is shown, by `--json` and `--quiet`. */
export function createPresenter(
  context: Context,
  options: { readonly json?: boolean; readonly quiet?: boolean },
  local: boolean,
): Presenter {
  if (options.json) return new JsonPresenter(context);
  return options.quiet ? new QuietPresenter(context) : new HumanPresenter(context, local);
}
