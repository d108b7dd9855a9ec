package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"paperwire/internal/paper"
	"paperwire/syndicate"
	"paperwire/syndicate/wechat"
)

func wechatCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "wechat",
		Short: "The WeChat account: leave an edition there as a draft",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var o wechat.DraftOptions
	var edition string
	draft := &cobra.Command{
		Use:   "draft [--edition DAY] [--scope SCOPE]",
		Short: "Upload an edition's articles and pictures, and leave them as a draft",
		Long: `Draft takes the articles of an edition in page order, eight at a time, uploads their
pictures and leaves them as a draft (草稿) in the WeChat account, for an editor to look
at. It never publishes.

It may be ended at any moment: run it again, and what was uploaded is not uploaded
again. Articles that are there as a draft are not left twice, unless they changed
since or --again is given.`,
		Example: `  paperwire wechat draft --scope paper/jzrb --dry-run      what would it be?
  paperwire wechat draft --scope paper/jzrb
  paperwire wechat draft --scope paper/jzrb/district/410825 --edition 2026-03-17 --part 2`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.wechatDraft(cmd.Context(), o, edition) },
	}
	draft.Flags().StringVar(&edition, "edition", "newest", "day of the edition, such as 2026-03-17, or newest")
	draft.Flags().StringVar(&o.Scope, "scope", "all", "which articles, as in the URL of a feed")
	draft.Flags().IntVar(&o.Part, "part", 1, "2 for the next eight articles, and so on")
	draft.Flags().BoolVar(&o.Dry, "dry-run", false, "tell what would be left, and ask WeChat nothing")
	draft.Flags().BoolVar(&o.Again, "again", false, "leave another draft of what there is one of")
	root.AddCommand(draft)
	return root
}

func (a *app) wechatDraft(ctx context.Context, o wechat.DraftOptions, edition string) error {
	bad := func(format string, args ...any) error {
		return usageError{fmt.Errorf("wechat draft: "+format, args...)}
	}
	if edition != "" && edition != "newest" {
		var err error
		if o.Day, err = paper.ParseDay(edition); err != nil {
			return bad("--edition: %w", err)
		}
	}
	if o.Part < 1 || o.Part > 25 {
		return bad("--part %d: from 1 to 25", o.Part)
	}
	h, err := a.desk(ctx, loadConfig, true)
	if err != nil {
		return err
	}
	defer h.close()
	switch {
	case h.wechat == nil:
		return bad("no account is configured: set PAPERWIRE_WECHAT_APPID and PAPERWIRE_WECHAT_SECRET; docs/wechat.md says where to find them")
	case !o.Dry && !h.wechat.Signs():
		return bad("set PAPERWIRE_WECHAT_SECRET, or wechat.secret_file in the configuration")
	case !o.Dry && h.cfg.BaseURL == "":
		return bad("base_url is not set: the articles would lead to pages that nobody reaches")
	}
	c := h.cfg
	// It attaches the account to what the gate lets out.
	if _, err := syndicate.New(syndicate.Options{
		Base: h.base, Title: c.Site.Title, Footer: c.Site.Footer, Store: h.store, Names: h.names, Pictures: h.store,
		Moved: c.moved(), Points: c.points(), CardFont: c.font(), Focus: c.focus(), Wechat: h.wechat, Log: h.log, Now: clock,
	}); err != nil {
		return err
	}
	got, err := h.wechat.Draft(ctx, o)
	var wrong *paper.ScopeError
	switch {
	case errors.As(err, &wrong):
		return bad("--scope: %s", wrong.Reason)
	case errors.Is(err, paper.ErrNotFound):
		return fmt.Errorf("wechat draft: %w", err)
	}
	for i, x := range got.Articles {
		fmt.Fprintf(a.out, "%d  %s  (%d characters, %d pictures", i+1, x.Title, x.Length, x.Pictures)
		if !o.Dry && !got.Already {
			fmt.Fprintf(a.out, ", %d uploaded", x.Uploaded)
		}
		fmt.Fprintln(a.out, ")")
		for _, p := range x.Problems {
			fmt.Fprintln(a.out, "   ", p)
		}
	}
	if err == nil && got.Partial {
		fmt.Fprintf(a.err, "%s: the edition is not complete yet: run it again later, and it leaves another draft\n", got.Day)
	}
	switch {
	case err != nil:
		return fmt.Errorf("wechat draft: %w; run it again to go on", err)
	case got.Already:
		fmt.Fprintf(a.out, "%s: there is a draft already: %s\n", got.Day, got.MediaID)
	case o.Dry:
		fmt.Fprintf(a.out, "%s: %d articles; nothing was uploaded\n", got.Day, len(got.Articles))
	default:
		fmt.Fprintf(a.out, "%s: draft left: %s\n", got.Day, got.MediaID)
	}
	return nil
}
