package wechat

import "context"

func (a *Account) draft(ctx context.Context, o DraftOptions) (Drafted, error) { return Drafted{}, nil }
